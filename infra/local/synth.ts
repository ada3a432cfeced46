import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** What a stack is made of, for this repository. */
const SOURCES = ["src", "infra/constructs", "infra/demo", "events", "infra/app.ts", "cdk.json", "package-lock.json"];

/**
 * Writes `cdk.out` where it is absent or older than its sources, so that what runs is what would be deployed.
 *
 * @throws Error with what the CDK said.
 */
export function synthesize(cdkOut: string, say: (line: string) => void): void {
  const written = changed(join(cdkOut, "manifest.json"));
  const newer = SOURCES.flatMap(filesOf).find((file) => changed(file) > written);
  if (newer === undefined) return;
  say(written === 0 ? "There is no cdk.out: cdk synth" : `cdk.out is older than ${newer}: cdk synth`);
  const cdk = join("node_modules", ".bin", "cdk");
  const { status, stderr, error } = spawnSync(cdk, ["synth", "--quiet", "--output", cdkOut], { encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`There is no cdk.out to run, since cdk synth failed: ${(error?.message ?? stderr).trim()}`);
}

function filesOf(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Epoch milliseconds; 0 for what is not there. */
function changed(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
