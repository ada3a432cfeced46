import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type LocalDynamoDB, startDynamoDBLocal } from "../../infra/local/dynamodb-local.ts";
import type { Case, Happened } from "./case.ts";
import { httpCases } from "./http.ts";
import { keys } from "./keys.ts";
import { locks } from "./locks.ts";
import { inMiddy } from "./middy.ts";
import { ours } from "./ours.ts";
import { peer } from "./peer.ts";
import { records } from "./records.ts";
import { type Compared, printTable, type Verdict } from "./table.ts";
import { makeWorld } from "./world.ts";

const LONGEST_CASE = 30_000;

/** The version of the package in this folder of the repository. */
function versionOf(folder: string): string {
  const text = readFileSync(new URL(`../../${folder}/package.json`, import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Runs one case on one side. A case that cannot be carried through does not hold. */
async function runOn(local: LocalDynamoDB, makeSide: typeof ours, one: Case, warnings: string[]): Promise<Verdict> {
  warnings.length = 0;
  const world = await makeWorld(local, makeSide, warnings);
  const nothing: Omit<Happened, "runs"> = { answers: {}, facts: {} };
  const ended = new AbortController();
  const timeout = pause(LONGEST_CASE, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`the case did not end within ${LONGEST_CASE / 1_000} s`);
  });
  try {
    const observed = await Promise.race([one.run(world), timeout]);
    const happened = { ...nothing, ...observed, runs: world.runs() };
    return { happened, holds: one.holds(happened) };
  } catch (error) {
    return { happened: { ...nothing, facts: { "case broke off": String(error) }, runs: world.runs() }, holds: false };
  } finally {
    timeout.catch(() => {});
    ended.abort();
    world.close();
  }
}

const warnings: string[] = [];
const { warn } = console;
console.warn = (...line: readonly unknown[]) => warnings.push(line.join(" "));
const local = await startDynamoDBLocal();
const compared: Compared[] = [];
try {
  for (const one of [...locks, ...inMiddy, ...keys, ...httpCases, ...records]) {
    const onPeer = await runOn(local, peer, one, warnings);
    compared.push({ one, peer: onPeer, ours: await runOn(local, ours, one, warnings) });
  }
} finally {
  await local.stop();
  console.warn = warn;
}

printTable(compared, {
  peer: `@aws-lambda-powertools/idempotency ${versionOf("node_modules/@aws-lambda-powertools/idempotency")}`,
  ours: `lambda-once ${versionOf(".")}`,
  over: `@aws-sdk/client-dynamodb ${versionOf("node_modules/@aws-sdk/client-dynamodb")} on DynamoDB Local, @middy/core ${versionOf("node_modules/@middy/core")}`,
});
// Executions that died in a case are still pending.
process.exit(compared.every(({ ours: { holds } }) => holds) ? 0 : 1);
