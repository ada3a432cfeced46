import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readAssembly } from "../infra/local/assembly.ts";
import { synthesize } from "../infra/local/synth.ts";
import { zipped } from "./bundle.ts";

/** What a function of the demo is deployed with, in bytes. */
export interface Deployed {
  readonly minified: number;
  readonly gzip: number;
}

/**
 * The bundles of the demo's functions, as `cdk synth` makes them by the constructs and as they are deployed, by the name of
 * the function. Source maps do not count: Lambda loads them for a stack trace alone.
 */
export async function constructBundles(): Promise<Readonly<Record<string, Deployed>>> {
  const cdkOut = "cdk.out";
  synthesize(cdkOut, () => {});
  const { template, assetPath } = readAssembly(cdkOut);
  const bundles: Record<string, Deployed> = {};
  for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
    const { S3Key } = (Properties?.["Code"] ?? {}) as { readonly S3Key?: string };
    const folder = S3Key === undefined ? undefined : assetPath(S3Key);
    if (Type !== "AWS::Lambda::Function" || folder === undefined) continue;
    const file = join(folder, "index.mjs");
    bundles[id.slice(0, -8)] = { minified: (await readFile(file)).length, gzip: await zipped(file) };
  }
  return bundles;
}
