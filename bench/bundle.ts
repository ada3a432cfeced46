import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build, type Plugin } from "esbuild";

/** `aws4` requires modules of Node.js, which a bundle of ES modules cannot; in the package's own build it is the same. */
const builtinsOfSigner: Plugin = {
  name: "builtins-of-the-signer",
  setup({ onResolve, onLoad }) {
    const namespace = "builtin";
    onResolve({ filter: /^\w+$/ }, ({ path, importer }) =>
      importer.includes("/aws4/") && isBuiltin(path) ? { path, namespace } : undefined,
    );
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule("node:${path}");`,
    }));
  },
};

/** The same flags for all sides, as for a Lambda function. */
const FLAGS = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  mainFields: ["module", "main"],
  logLevel: "warning",
  plugins: [builtinsOfSigner],
} as const satisfies BuildOptions;

/** Bundles a program, all of its dependencies included, minified. */
export async function bundle(entry: string, outfile: string): Promise<string> {
  await build({ ...FLAGS, minify: true, entryPoints: [entry], outfile });
  return outfile;
}

/** The minified bytes of a bundle by package, the largest first. */
export async function partsOf(entry: string): Promise<Readonly<Record<string, number>>> {
  const built = await build({
    ...FLAGS,
    minify: true,
    entryPoints: [entry],
    metafile: true,
    write: false,
    outdir: "out",
  });
  const sums = new Map<string, number>();
  for (const { inputs } of Object.values(built.metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const owner = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? "the handler";
      sums.set(owner, (sums.get(owner) ?? 0) + bytesInOutput);
    }
  }
  return Object.fromEntries([...sums].sort(([, a], [, b]) => b - a));
}

/** The same bundle with its names and with a comment before each module that says which file it was. */
export async function readableBundle(entry: string, outfile: string): Promise<string> {
  await build({ ...FLAGS, entryPoints: [entry], outfile });
  return outfile;
}

/** The program alone, in JavaScript, its imports left as they are. */
export async function unbundled(entry: string, outfile: string): Promise<string> {
  await build({ ...FLAGS, bundle: false, entryPoints: [entry], outfile });
  return outfile;
}

/** Bytes, compressed by gzip. */
export const zipped = async (file: string): Promise<number> => gzipSync(await readFile(file)).length;
