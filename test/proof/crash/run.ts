/**
 * `npm run proof:crash [-- --sdk | --light] [--flow <name>]`: each request of each flow meets each fault. Exit code 1 where
 * a promise is broken. docs/crash-matrix.md shows what it prints.
 */
import { availableParallelism } from "node:os";
import { startDynamoDBLocal } from "../../../infra/local/dynamodb-local.ts";
import { FLOWS } from "./flows.ts";
import { cellsOf, prepareGround, type Result, runCells } from "./matrix.ts";
import { LEGEND, sumsOf, tableOf, totalsOf } from "./table.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
const given = process.argv.slice(2);
const only = given.includes("--flow") ? given[given.indexOf("--flow") + 1] : undefined;
const transports = (["sdk", "light"] as const).filter(
  (one) => given.includes(`--${one}`) || !given.some((option) => option === "--sdk" || option === "--light"),
);
const flows = FLOWS.filter(({ name }) => only === undefined || name === only);
const concurrency = Number(process.env["PROOF_CONCURRENCY"] ?? 6 * availableParallelism());

const started = performance.now();
const seconds = (): string => `${((performance.now() - started) / 1_000).toFixed(0)} s`;
const local = await startDynamoDBLocal();
const ground = await prepareGround(local, 4);
const results: Result[] = [];
try {
  for (const transport of transports) {
    for (const flow of flows) {
      const cells = await cellsOf(ground, flow, transport);
      const done = await runCells(ground, cells, concurrency);
      results.push(...done);
      console.error(`${transport}, ${flow.name}: ${done.length} cells (${seconds()})`);
      for (const { target, fault, extent, duplicate, violations } of done) {
        if (violations.length === 0) continue;
        console.error(
          `  ! ${target?.request} ${target?.record}, ${fault}, ${extent}${duplicate ? ", with a duplicate" : ""}: ${violations.join("; ")}`,
        );
      }
    }
  }
} finally {
  await ground.close();
  await local.stop();
}

const NAMES = { sdk: "Over the AWS SDK", light: "Over the light client" } as const;
console.log(LEGEND);
for (const transport of transports) {
  const own = results.filter((one) => one.transport === transport);
  console.log(`\n${NAMES[transport]}\n\n${tableOf(own)}\n\n${sumsOf(own)}`);
}
console.log(`\n${ground.processes.killed()} processes killed, ${seconds()}`);
process.exitCode = totalsOf(results).violated === 0 && results.length > 0 ? 0 : 1;
