import { median, quantile, ratios } from "../stats.ts";
import type { Path, Scenario } from "../subjects/scenario.ts";
import type { Child } from "./child.ts";

/**
 * CPU time of one batch, in µs. After each full collection V8 compiles anew what it had compiled for objects that are gone, for
 * some hundred calls: a short batch meets that or not, and a long one has all of it in its mean.
 */
const BATCH = { short: 20_000, long: 500_000 } as const;
/** CPU time of each scenario before it is measured, in µs, and the calls at least. */
const WARM_UP = { cpu: 100_000, calls: 200 } as const;
/** Calls of each process before anything is measured, in turns through all processes and, in each, all its paths. */
const PRIMING = { turns: 40, calls: 250 } as const;
/** The paths of a library, and of what is none. */
const PRIMED = {
  library: ["first", "replay", "again", "progress", "error"],
  floor: ["first", "replay"],
} as const satisfies Readonly<Record<string, readonly Path[]>>;

/** What one scenario costs each subject. */
export interface Warm {
  readonly scenario: Scenario;
  /** CPU time for each call, in µs: the median over the rounds. */
  readonly cpu: Readonly<Record<string, number>>;
  /** The peer's by the subject's: how many times less the subject takes. Median and quartiles over the rounds. */
  readonly less: Readonly<Record<string, readonly [number, number, number]>>;
}

/**
 * Lets the compiler do its work: for all paths, since after thousands of calls of one alone it would undo and do it again at
 * the next one; and in all processes at a time, since V8 drops what it has compiled while a process rests.
 */
export async function prime(
  { libraries, floors }: Readonly<Record<"libraries" | "floors", Readonly<Record<string, Child>>>>,
  quick: boolean,
): Promise<void> {
  const run = async (child: Child, paths: readonly Path[]): Promise<void> => {
    for (const path of paths) {
      await child.run({
        scenario: { path, event: 200, key: "field", result: 200 },
        calls: PRIMING.calls / paths.length,
      });
    }
  };
  for (let turn = 0; turn < (quick ? PRIMING.turns / 2 : PRIMING.turns); turn++) {
    for (const child of Object.values(libraries)) await run(child, PRIMED.library);
    for (const child of Object.values(floors)) await run(child, PRIMED.floor);
  }
}

async function warmUp(
  child: Child,
  scenario: Scenario,
  { quick, long }: { readonly quick: boolean; readonly long: boolean },
): Promise<number> {
  const enough = quick ? { cpu: WARM_UP.cpu / 10, calls: WARM_UP.calls / 10 } : WARM_UP;
  let [spent, made, calls, cpu] = [0, 0, 20, 0];
  while (spent < enough.cpu || made < enough.calls) {
    cpu = (await child.run({ scenario, calls })).cpu;
    spent += cpu * calls;
    made += calls;
    calls = Math.ceil(Math.max(20, BATCH.short / cpu));
  }
  return long ? Math.ceil(BATCH.long / cpu) : calls;
}

/** CPU time of a call in each round, in µs, by subject. */
export type Rounds = Readonly<Record<string, readonly number[]>>;

/** Measures one scenario on all subjects in turn. */
export async function warm(
  children: Readonly<Record<string, Child>>,
  scenario: Scenario,
  { rounds, quick, long }: { readonly rounds: number; readonly quick: boolean; readonly long: boolean },
): Promise<Rounds> {
  const measured: { name: string; child: Child; calls: number; cpu: number[] }[] = [];
  for (const [name, child] of Object.entries(children)) {
    measured.push({ name, child, calls: await warmUp(child, scenario, { quick, long }), cpu: [] });
  }
  for (let round = 0; round < rounds; round++) {
    const inTurn = round % 2 === 0 ? measured : [...measured].reverse();
    for (const { child, calls, cpu } of inTurn) cpu.push((await child.run({ scenario, calls })).cpu);
  }
  return Object.fromEntries(measured.map(({ name, cpu }) => [name, cpu]));
}

/** What a scenario costs by all its rounds; one of the subjects is the peer. */
export function warmFigure(scenario: Scenario, all: readonly Rounds[]): Warm {
  const roundsOf = (name: string): readonly number[] => all.flatMap((rounds) => rounds[name] ?? []);
  const names = Object.keys(all[0] ?? {});
  const peer = roundsOf("peer");
  const spread = (cpu: readonly number[]): [number, number, number] => {
    const less = ratios(peer, cpu);
    return [quantile(less, 0.5), quantile(less, 0.25), quantile(less, 0.75)];
  };
  return {
    scenario,
    cpu: Object.fromEntries(names.map((name) => [name, median(roundsOf(name))])),
    less: Object.fromEntries(names.map((name) => [name, spread(roundsOf(name))])),
  };
}
