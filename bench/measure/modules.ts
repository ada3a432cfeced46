import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { environment } from "./child.ts";

/** What an import loads: files by package, and modules of Node.js that open sockets. */
export interface Loaded {
  readonly files: Readonly<Record<string, number>>;
  readonly sockets: readonly string[];
}

const SOCKETS = ["net", "tls", "http", "https", "http2", "dns", "internal/deps/undici/undici"] as const;

/** What Node.js has loaded of itself. */
const BUILTINS = "process.moduleLoadList.map((name) => name.replace('NativeModule ', ''))";

/** Imports an entry in a process of its own and counts, by V8's coverage, every file that was evaluated. */
export async function loadedBy(entry: string, folder: string): Promise<Loaded> {
  const coverage = await mkdtemp(join(folder, "coverage-"));
  const code = `const before = new Set(${BUILTINS}); await import(${JSON.stringify(entry)});
console.log(JSON.stringify(${BUILTINS}.filter((name) => !before.has(name))));`;
  const env = environment({ NODE_V8_COVERAGE: coverage });
  const flags = ["--no-warnings", "--input-type=module", "-e", code];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env, cwd: folder });
  const files: Record<string, number> = {};
  for (const name of await readdir(coverage)) {
    const { result } = JSON.parse(await readFile(join(coverage, name), "utf8")) as { result: { url: string }[] };
    for (const { url } of result) {
      const owner = /^file:.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
      if (owner !== undefined) files[owner] = (files[owner] ?? 0) + 1;
    }
  }
  const builtins = JSON.parse(stdout) as string[];
  return { files, sockets: SOCKETS.filter((name) => builtins.includes(name)) };
}
