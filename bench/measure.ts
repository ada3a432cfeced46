import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import type { Scenario } from "./cpu/scenario.ts";
import type { Batch } from "./cpu/serve.ts";

/** The value below which this part of a list lies; the list is not empty. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * part)] as number;
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

const ROUNDS = 15;
/** CPU time of one batch, in µs: long enough for the collector to take part, short enough to interleave. */
const BATCH = 40_000;
/** Calls of each scenario before anything is measured: by then the compiler has done its work. */
const WARM_UP = 1_000;

/** One program under measurement, in a process of its own. */
export interface Subject {
  readonly name: string;
  /** CPU time for each call, in µs. */
  batch(batch: Batch): Promise<number>;
  end(): void;
}

/** Starts a bundle that serves batches, and warms it up with all of the scenarios. */
export async function startSubject(name: string, bundle: string, scenarios: readonly Scenario[]): Promise<Subject> {
  const child = fork(bundle, { execArgv: ["--no-warnings"] });
  const died = once(child, "exit").then(([code]) => {
    throw new Error(`the process of ${name} ended with code ${code}`);
  });
  died.catch(() => {});
  const subject: Subject = {
    name,
    async batch(batch) {
      child.send(batch);
      const [cpu] = (await Promise.race([once(child, "message"), died])) as [number];
      return cpu;
    },
    end: () => child.kill(),
  };
  for (const scenario of scenarios) await subject.batch({ scenario, calls: WARM_UP });
  return subject;
}

/** What one scenario costs a subject. */
export interface Cost {
  /** CPU time for each call, in µs: the median over the rounds. */
  readonly cpu: number;
  /** To the last subject of the list, by round: both ran one after the other, so that what disturbs one disturbs the other. */
  readonly ratios: readonly number[];
}

/** Measures one scenario on all subjects in turn, after two batches of each that only find their length. */
export async function compare(subjects: readonly Subject[], scenario: Scenario): Promise<ReadonlyMap<string, Cost>> {
  const measured = subjects.map((subject) => ({ subject, calls: WARM_UP, cpu: [] as number[] }));
  for (const one of [...measured, ...measured]) {
    one.calls = Math.max(20, Math.round(BATCH / (await one.subject.batch({ scenario, calls: one.calls }))));
  }
  for (let round = 0; round < ROUNDS; round++) {
    const inTurn = round % 2 === 0 ? measured : [...measured].reverse();
    for (const { subject, calls, cpu } of inTurn) cpu.push(await subject.batch({ scenario, calls }));
  }
  const reference = measured.at(-1)?.cpu ?? [];
  const cost = (cpu: readonly number[]): Cost => ({
    cpu: median(cpu),
    ratios: cpu.map((value, round) => value / (reference[round] as number)),
  });
  return new Map(measured.map(({ subject, cpu }) => [subject.name, cost(cpu)]));
}

const IMPORT = `const before = process.cpuUsage();
await import(process.argv[1]);
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1000);`;

/** CPU time in ms that a fresh process needs to import each bundle: medians over interleaved rounds. */
export async function importTimes(paths: readonly string[], rounds: number): Promise<number[]> {
  const run = promisify(execFile);
  const times = paths.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, path] of paths.entries()) {
      const { stdout } = await run(process.execPath, ["--no-warnings", "--input-type=module", "-e", IMPORT, path]);
      times[at]?.push(Number(stdout));
    }
  }
  return times.map(median);
}
