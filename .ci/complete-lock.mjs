/**
 * Completes package-lock.json: adds the exactly pinned, optional packages for other platforms that `npm install`
 * leaves out where the registry in reach does not offer them. Without the entries `npm ci` refuses the lock
 * ("Missing: ... from lock file"). A later `npm install` keeps them.
 */
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const text = readFileSync(path, "utf8");
const lock = JSON.parse(text);
const packages = lock.packages;

const OS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const CPU = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

const added = [];
for (const [parent, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isPresent(parent, name) || !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) continue;
    const platform = platformOf(name);
    if (platform === undefined) continue;
    // Beside its parent, where npm itself puts it as long as no other version is there.
    packages[`${parent.slice(0, parent.lastIndexOf("node_modules/"))}node_modules/${name}`] = {
      version,
      cpu: [platform.cpu],
      ...(entry.dev === true ? { dev: true } : {}),
      ...(platform.libc === undefined ? {} : { libc: [platform.libc] }),
      optional: true,
      os: [platform.os],
    };
    added.push(`${name}@${version}`);
  }
}

if (added.length > 0) {
  const inOrder = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  lock.packages = Object.fromEntries(inOrder);
  writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);
}
console.log(added.length === 0 ? "package-lock.json is complete" : `package-lock.json: added ${added.join(", ")}`);

/** Whether `name`, asked for from `parent`, is found there or in a folder above. */
function isPresent(parent, name) {
  let folder = parent;
  while (true) {
    if (`${folder === "" ? "" : `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === "") return false;
    folder = folder.slice(0, Math.max(folder.lastIndexOf("node_modules/") - 1, 0));
  }
}

/** `@scope/tool-linux-arm-gnueabihf` -> what its own package.json says about os, cpu and libc. */
function platformOf(name) {
  const words = name.slice(name.lastIndexOf("/") + 1).split("-");
  const os = OS.find((item) => words.includes(item));
  const cpu = CPU.find((item) => words.includes(item));
  if (os === undefined || cpu === undefined) return undefined;
  const abi = words.at(-1);
  const libc = abi.startsWith("musl") ? "musl" : abi.startsWith("gnu") && os === "linux" ? "glibc" : undefined;
  return { os, cpu, libc };
}
