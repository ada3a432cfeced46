/**
 * Installs exactly what package-lock.json says, and only when something differs: half a second when nothing does.
 * `npm test` and `npm run demo` begin with it, because `ignore-scripts` turns off `pretest` and `predemo`.
 * It runs before anything is installed, so it imports no package.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const reason = whatDiffers();
if (reason !== undefined) {
  console.log(`install: ${reason}; running npm ci`);
  const { status } = spawnSync("npm", ["ci", "--include=dev", "--include=optional"], { stdio: "inherit" });
  process.exit(status ?? 1);
}

/** One sentence about the first difference found, `undefined` when node_modules is as the lock says. */
function whatDiffers() {
  const lock = readJson("package-lock.json");
  const installed = readJson("node_modules/.package-lock.json")?.packages;
  if (lock === undefined) return "package-lock.json is missing";
  if (installed === undefined) return "nothing is installed yet";

  const { "": root, ...wanted } = lock.packages;
  const manifest = readJson("package.json");
  for (const field of ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]) {
    if (!isDeepStrictEqual(root[field], manifest[field])) return `${field} of package.json and its lock differ`;
  }
  for (const [path, entry] of Object.entries(wanted)) {
    const there = installed[path];
    if (there === undefined && isExpected(entry)) return `${path} is missing`;
    if (there !== undefined && there.version !== entry.version) return `${path} is not at ${entry.version}`;
  }
  for (const path of Object.keys(installed)) if (!(path in wanted)) return `${path} is not in the lock`;
  return undefined;
}

/** An optional package is expected where it names this platform; npm leaves out the rest, each npm in its own way. */
function isExpected({ optional, devOptional, os, cpu, libc }) {
  if (optional !== true && devOptional !== true) return true;
  if (os === undefined && cpu === undefined) return false;
  return allows(os, process.platform) && allows(cpu, process.arch) && allows(libc, runtimeLibc());
}

/** A lock names what it wants (`linux`) or what it refuses (`!win32`). */
function allows(list, value) {
  if (list === undefined || value === undefined) return true;
  const refused = list.filter((item) => item.startsWith("!"));
  return refused.length > 0 ? !refused.includes(`!${value}`) : list.includes(value);
}

function runtimeLibc() {
  if (process.platform !== "linux") return undefined;
  return process.report.getReport().header.glibcVersionRuntime === undefined ? "musl" : "glibc";
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
