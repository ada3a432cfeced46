import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDynamoDBLocal } from "../infra/local/dynamodb-local.ts";
import { COUNTED } from "./bounds.ts";
import { zipped } from "./bundle.ts";
import { constructBundles } from "./constructs.ts";
import { countPaths } from "./cost/paths.ts";
import { type Installation, install } from "./install.ts";
import { loadedBy } from "./measure/modules.ts";
import { handlerBundles } from "./results.ts";

/** What is worse than its bound, one sentence each, of what can be counted exactly. */
export async function countedFaults(): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "lambda-once-gate-"));
  try {
    const installed = await install(folder);
    return [
      ...(await requestFaults()),
      ...(await bundleFaults(installed)),
      ...(await constructFaults()),
      ...(await moduleFaults(installed)),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A path that costs less than it says is a fault as well: the documents say the same numbers. */
async function requestFaults(): Promise<readonly string[]> {
  const local = await startDynamoDBLocal();
  try {
    const bills = await countPaths(local);
    return Object.entries(COUNTED.requests).flatMap(([path, expected]) => {
      const { requests, write, read } = bills[path] ?? { requests: 0, write: 0, read: 0 };
      const found = [requests, write, read].join(", ");
      return found === expected.join(", ")
        ? []
        : [`${path}: requests, write and read units are ${found}, not ${expected.join(", ")}`];
    });
  } finally {
    await local.stop();
  }
}

async function bundleFaults(installed: Installation): Promise<readonly string[]> {
  const bundles = await handlerBundles(installed);
  const faults: string[] = [];
  for (const [name, bound] of Object.entries(COUNTED.bundles)) {
    const size = await zipped(bundles[name] ?? "");
    if (size > bound) faults.push(`the bundle of handlers/${name}.ts is ${size} bytes; allowed are ${bound}`);
    // It would fail where it is loaded, unless its user knows of a banner.
    if ((await readFile(bundles[name] ?? "", "utf8")).includes("Dynamic require of"))
      faults.push(`the bundle of handlers/${name}.ts needs a \`require\``);
  }
  return faults;
}

async function constructFaults(): Promise<readonly string[]> {
  const bundles = await constructBundles();
  const names = new Set([...Object.keys(COUNTED.constructs), ...Object.keys(bundles)]);
  const bounds: Readonly<Record<string, number>> = COUNTED.constructs;
  return [...names].flatMap((name) => {
    const [size, bound] = [bundles[name]?.gzip, bounds[name]];
    if (size !== undefined && bound !== undefined && size <= bound) return [];
    return [`the demo's function ${name} is deployed with ${size ?? "no"} bytes; allowed are ${bound ?? "none"}`];
  });
}

async function moduleFaults({ folder }: Installation): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [entry, { ours, others }] of Object.entries(COUNTED.modules)) {
    const { files, sockets } = await loadedBy(entry, folder);
    const { "lambda-once": own = 0, ...foreign } = files;
    if (own > ours) faults.push(`${entry} loads ${own} files of its own; allowed are ${ours}`);
    if (own === 0) faults.push(`${entry} was not seen loading anything`);
    if (JSON.stringify(foreign) !== JSON.stringify(others)) {
      faults.push(`${entry} loads ${JSON.stringify(foreign)} of other packages; allowed is ${JSON.stringify(others)}`);
    }
    if (sockets.length > 0) faults.push(`${entry} loads ${sockets.join(", ")} of Node.js before anything is sent`);
  }
  return faults;
}
