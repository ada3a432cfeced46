import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, it, onTestFinished } from "vitest";

// seen by a reviewer: Node draws ids from random bytes that it keeps in memory, and a snapshot has them
it("processes that start from one snapshot have owners of their own", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lambda-once-snapshot-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const contents = `
    import { startupSnapshot } from "node:v8";
    import { processRuntime } from "./src/lambda/runtime.ts";
    processRuntime.uniqueId(); // whatever was claimed while the function was initialised
    startupSnapshot.setDeserializeMainFunction(() => console.log(processRuntime.uniqueId()));`;
  const [bundle, blob] = [join(folder, "entry.cjs"), join(folder, "blob")];
  const stdin = { contents, resolveDir: process.cwd() };
  await build({ stdin, bundle: true, platform: "node", format: "cjs", outfile: bundle });
  const node = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, ["--snapshot-blob", blob, ...args])).stdout;
  await node("--build-snapshot", bundle);
  const owners = [await node(), await node()];
  expect(owners[0]).toMatch(/^[0-9a-f-]{36}\n$/);
  expect(owners[0]).not.toBe(owners[1]);
});
