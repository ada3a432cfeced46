import { readFile } from "node:fs/promises";
import type { Frame } from "../subjects/profile.ts";
import type { Scenario } from "../subjects/scenario.ts";
import { startChild } from "./child.ts";

/** Where the time of one scenario goes, as parts of 1. */
export interface Shares {
  readonly subject: string;
  readonly what: string;
  /** By package; `Node.js` is its own JavaScript and native code. */
  readonly packages: readonly (readonly [name: string, part: number])[];
  readonly functions: readonly (readonly [name: string, part: number])[];
}

/** Profiles calls of a readable bundle: the first hundred of a process, or warm ones. */
export async function profile(
  subject: string,
  {
    bundle,
    scenario,
    calls,
    what,
    env,
  }: { bundle: string; scenario: Scenario; calls: number; what: string; env: Readonly<Record<string, string>> },
): Promise<Shares> {
  const child = startChild(bundle, env);
  try {
    if (calls > 100) await child.run({ scenario, calls: 2_000 });
    const { profile: frames = [] } = await child.run({ scenario, calls, profile: true });
    const owners = ownersOf(await readFile(bundle, "utf8"));
    const busy = frames.filter(({ name }) => name !== "(idle)");
    const total = busy.reduce((sum, { self }) => sum + self, 0);
    const by = (label: (frame: Frame) => string) => {
      const sums = new Map<string, number>();
      for (const frame of busy) sums.set(label(frame), (sums.get(label(frame)) ?? 0) + frame.self / total);
      return [...sums].sort(([, a], [, b]) => b - a);
    };
    const owner = ({ name, url, line }: Frame): string =>
      name === "(garbage collector)" ? "garbage collector" : url.startsWith("file:") ? (owners[line] ?? "") : "Node.js";
    return {
      subject,
      what,
      packages: by(owner).slice(0, 6),
      functions: by((frame) => `${frame.name || "(anonymous)"} (${owner(frame)})`).slice(0, 8),
    };
  } finally {
    child.end();
  }
}

/** For each line of a bundle the package that it came from, by the comments that esbuild writes before each module. */
function ownersOf(text: string): readonly string[] {
  let owner = "the measurement";
  return text.split("\n").map((line) => {
    const file = /^\s*\/\/ (\S+\.[cm]?[jt]s)$/.exec(line)?.[1];
    if (file !== undefined) owner = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? "the measurement";
    return owner;
  });
}
