/**
 * `npm run bench:cost`: docs/cost.md, from requests and units counted on DynamoDB Local and the CPU time of fresh processes.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDynamoDBLocal } from "../infra/local/dynamodb-local.ts";
import { countPaths, countSizes } from "./cost/paths.ts";
import { countRepeated } from "./cost/repeated.ts";
import { install } from "./install.ts";
import { freshFigure, freshRounds } from "./measure/fresh.ts";
import { type Cpu, costPage } from "./page/cost.ts";
import { about } from "./page/machine.ts";
import { handlerBundles } from "./results.ts";
import { startServer } from "./server.ts";

const ROUNDS = 5;

/** CPU ms of calls 11 to 100 of a fresh process, which is what most environments live for. */
async function cpuOfCalls(folder: string): Promise<readonly Cpu[]> {
  const installed = await install(folder);
  const server = await startServer(folder);
  try {
    const bundles = await handlerBundles(installed);
    const measured = { rounds: ROUNDS, calls: 100, place: server.place };
    const told = await freshRounds(installed.file("handlers/fresh.mjs"), bundles, measured);
    return freshFigure(told, ({ calls }) => calls[2]);
  } finally {
    server.stop();
  }
}

const folder = await mkdtemp(join(tmpdir(), "lambda-once-cost-"));
const local = await startDynamoDBLocal();
try {
  const counted = {
    sized: await countSizes(local),
    paths: await countPaths(local),
    repeated: await countRepeated(local),
    cpu: await cpuOfCalls(folder),
  };
  await writeFile(new URL("../docs/cost.md", import.meta.url), costPage(await about(), counted));
} finally {
  await local.stop();
  await rm(folder, { recursive: true });
}
