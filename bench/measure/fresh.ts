import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Place } from "../server.ts";
import { median, ratios } from "../stats.ts";
import { environment } from "./child.ts";

/** What one fresh process tells of itself; see `handlers/fresh.mjs`. */
interface Told {
  readonly imported: number;
  readonly calls: readonly number[];
  readonly rss: number;
  readonly heapUsed: number;
}

/** Medians over the processes of one handler, and how many times less it takes than the peer: medians over the rounds. */
export interface Fresh {
  readonly handler: string;
  readonly value: number;
  readonly less: number | undefined;
}

/** One figure of fresh processes, by handler. */
export type FreshFigure = readonly Fresh[];

/** Starts fresh processes of all handlers in turn, round by round. */
export async function freshRounds(
  runner: string,
  handlers: Readonly<Record<string, string>>,
  {
    rounds,
    calls,
    place,
    env = {},
    flags = [],
  }: {
    rounds: number;
    calls: number;
    place: Place;
    env?: Readonly<Record<string, string>>;
    flags?: readonly string[];
  },
): Promise<Readonly<Record<string, readonly Told[]>>> {
  const told = Object.fromEntries(Object.keys(handlers).map((name): [string, Told[]] => [name, []]));
  const words = ["--no-warnings", ...flags, runner];
  for (let round = 0; round < rounds; round++) {
    const inTurn = Object.entries(handlers);
    for (const [name, file] of round % 2 === 0 ? inTurn : inTurn.reverse()) {
      const side = name === "peer" ? "peer" : "ours";
      const table = { LAMBDA_ONCE_TABLE: `${side}.${env["BENCH_PATH"] ?? "first"}.200` };
      const all = environment({ ...place, ...table, ...env });
      const { stdout } = await promisify(execFile)(process.execPath, [...words, file, String(calls)], { env: all });
      told[name]?.push(JSON.parse(stdout) as Told);
    }
  }
  return told;
}

/** One figure of what those processes told. */
export function freshFigure(
  told: Readonly<Record<string, readonly Told[]>>,
  pick: (one: Told) => number | undefined,
): FreshFigure {
  const values = (name: string): readonly number[] => (told[name] ?? []).map((one) => pick(one) ?? Number.NaN);
  return Object.keys(told).map((handler) => ({
    handler,
    value: median(values(handler)),
    less: told["peer"] === undefined ? undefined : median(ratios(values("peer"), values(handler))),
  }));
}
