import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build } from "esbuild";

/** The same flags for both sides. */
const FLAGS = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  minify: true,
  mainFields: ["module", "main"],
  conditions: ["lambda-once-source"],
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
  logLevel: "warning",
} as const satisfies BuildOptions;

/** Bundles a file of this folder, all of its dependencies included; answers the bundle's path. */
export async function bundleFile(file: URL, folder: string, name: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  await build({ ...FLAGS, entryPoints: [fileURLToPath(file)], outfile });
  return outfile;
}

/** Entries of a package as one bundle, with the AWS SDK in it and without. */
export interface EntryBundle {
  /** With the SDK. */
  readonly path: string;
  /** Bytes, minified and compressed by gzip. */
  readonly withSdk: number;
  readonly withoutSdk: number;
}

/** Bundles all that these entries export. */
export async function bundleEntries(entries: readonly string[], folder: string, name: string): Promise<EntryBundle> {
  const contents = entries.map((entry) => `export * from "${entry}";`).join("\n");
  const stdin = { contents, resolveDir: FLAGS.absWorkingDir };
  const [path, bare] = [join(folder, `${name}.mjs`), join(folder, `${name}.bare.mjs`)];
  await build({ ...FLAGS, stdin, outfile: path });
  await build({ ...FLAGS, stdin, outfile: bare, external: ["@aws-sdk/*", "@smithy/*"] });
  const zipped = async (file: string) => gzipSync(await readFile(file)).length;
  return { path, withSdk: await zipped(path), withoutSdk: await zipped(bare) };
}

/** Makes Node.js read what lies in the folder as modules, as a Lambda's package does. */
export const markAsModules = (folder: string): Promise<void> =>
  writeFile(join(folder, "package.json"), '{"type":"module"}');
