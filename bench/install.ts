import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What the subjects and the handlers import beside `lambda-once`; the versions are those of the lock file. */
const LINKED = ["@aws-lambda-powertools", "@aws-sdk", "@jmespath-community", "aws4", "standardwebhooks"] as const;

/** A folder as a user has it: `lambda-once` built and installed, the peer beside it, and the programs that are measured. */
export interface Installation {
  readonly folder: string;
  /** A path in it. */
  file(name: string): string;
  /** Where a program of this folder was copied to. */
  copyOf(program: URL): string;
}

/**
 * Builds the package as it is published and installs it in `folder`, with what is measured, so that nothing is read from
 * the sources and no earlier build counts.
 */
export async function install(folder: string): Promise<Installation> {
  const modules = join(folder, "node_modules");
  const own = join(modules, "lambda-once");
  await mkdir(own, { recursive: true });
  const flags = ["--logLevel", "error", "--filter", "code", "--no-sourcemap", "--out-dir", join(own, "dist")];
  await promisify(execFile)(join(ROOT, "node_modules", ".bin", "tsdown"), flags, { cwd: ROOT });
  await copyFile(join(ROOT, "package.json"), join(own, "package.json"));
  for (const name of LINKED) await symlink(join(ROOT, "node_modules", name), join(modules, name));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  for (const name of ["subjects", "handlers"])
    await cp(join(ROOT, "bench", name), join(folder, name), { recursive: true });
  const here = fileURLToPath(new URL(".", import.meta.url));
  return {
    folder,
    file: (name) => join(folder, name),
    copyOf: (program) => join(folder, relative(here, fileURLToPath(program))),
  };
}

/** The version of an installed package, or of this one. */
export async function versionOf(name: string): Promise<string> {
  const place = name === "lambda-once" ? ROOT : join(ROOT, "node_modules", name);
  return (JSON.parse(await readFile(join(place, "package.json"), "utf8")) as { version: string }).version;
}
