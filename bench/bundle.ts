import { readFile, writeFile } from "node:fs/promises";
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

/** A bundle that loads the same modules of Node.js, and is read and not run: what its import takes by its size alone. */
export async function unrun(bundled: string, outfile: string): Promise<string> {
  const imports: string[] = ['import "node:https";'];
  const code = (await readFile(bundled, "utf8"))
    .replace(/\bimport\s*(?:[\w$]+|\{[^}]*\})\s*from\s*"node:[^"]+";/g, (found) => {
      imports.push(found);
      return "";
    })
    .replace(/\bexport\s*\{[^}]*\};?\s*$/, "");
  await writeFile(outfile, `${imports.join("")}function notCalled(){${code}\n}`);
  return outfile;
}

/** What a bundle of the light client is made of, by where its code stands; the first that fits counts. */
const ORIGINS = {
  "JMESPath, the library": /@jmespath-community/,
  "the signer": /node_modules\/aws4/,
  "commits, steps, waiting, renewal":
    /@aws-sdk\/util-dynamodb|src\/core\/(commit|settle-commit|steps|wait\.|renewal|writing)|src\/store\/(committer|native|transact)|unheld/,
  "options and errors": /options\.ts|src\/core\/(check|duration|error|plain|refusals|remembered)|src\/lambda\/context/,
  "the light client": /src\/store\/light\//,
  "keys and fingerprints, and why one is missing": /src\/key\/|src\/lambda\/identity/,
  "records in DynamoDB: requests, strict reading, failures": /src\/store\//,
  "codec and cache": /src\/codec\/|storable|cached-store/,
  "claims, replays, their ends, and the wrapper": /./,
} as const;

export type Origin = keyof typeof ORIGINS;

/** The minified bytes of the light client's bundle by origin. Of the sources: the package as published has no more of their names. */
export async function originsOf(entry: string): Promise<Readonly<Record<string, number>>> {
  const { metafile } = await build({
    ...FLAGS,
    minify: true,
    conditions: ["lambda-once-source"],
    entryPoints: [entry],
    metafile: true,
    write: false,
    outdir: "out",
  });
  const sums = Object.fromEntries(Object.keys(ORIGINS).map((name) => [name, 0]));
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const [name = ""] = Object.entries(ORIGINS).find(([, pattern]) => pattern.test(file)) ?? [];
      sums[name] = (sums[name] ?? 0) + bytesInOutput;
    }
  }
  return sums;
}

/** The same bundle with its names and with a comment before each module that says which file it was. */
export async function readableBundle(entry: string, outfile: string): Promise<string> {
  await build({ ...FLAGS, entryPoints: [entry], outfile });
  return outfile;
}

/** The program in JavaScript, its packages left where they are; the signer is in a floor as it is in lambda-once's own files. */
export async function unbundled(entry: string, outfile: string): Promise<string> {
  await build({ ...FLAGS, external: ["@*", "lambda-once"], entryPoints: [entry], outfile });
  return outfile;
}

/** Bytes, compressed by gzip. */
export const zipped = async (file: string): Promise<number> => gzipSync(await readFile(file)).length;
