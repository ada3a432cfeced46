import { type LocalDynamoDB, localConfig } from "../../infra/local/dynamodb-local.ts";
import { median, ratios } from "../stats.ts";
import { MANY, type Path, type Scenario } from "../subjects/scenario.ts";
import { type Child, startChild } from "./child.ts";
import { cpuOf } from "./cpu.ts";

/** Replays per second through the same DynamoDB Local, by subject; `more` is how many times as many as the peer's. */
export interface Throughput {
  readonly path: Path;
  readonly concurrent: number;
  readonly perSecond: Readonly<Record<string, number>>;
  readonly more: Readonly<Record<string, number>>;
  /** CPU time that DynamoDB Local itself takes for one of them, in µs; 0 where the system does not tell. */
  readonly local: number;
}

/** How much is measured: `sets` of fresh processes, `rounds` of slices of about so many milliseconds in each. */
export interface ThroughputEffort {
  readonly sets: number;
  readonly rounds: number;
  readonly slice: number;
  readonly levels: readonly number[];
}

/** What has been measured of one kind of replay. */
interface Measured {
  readonly scenario: Scenario;
  readonly concurrent: number;
  readonly rates: Readonly<Record<string, number[]>>;
  /** Calls of all, and the CPU time that DynamoDB Local took for them, in µs. */
  made: number;
  taken: number;
}

const RECORDED = { event: 200, key: "field", result: 200 } as const;
const REPLAYS = [
  { path: "many", ...RECORDED },
  { path: "again", ...RECORDED },
] as const satisfies readonly Scenario[];

/** Calls of each process and kind before anything is measured, in turns. */
const PRIMING = { turns: 6, calls: 500, concurrent: 10 } as const;

/**
 * Every subject in turn, in slices, at each number of calls at a time. In several sets of processes, since V8 does not compile the
 * same in all.
 */
export async function throughput(
  local: LocalDynamoDB,
  bundles: Readonly<Record<string, string>>,
  { sets, rounds, slice, levels }: ThroughputEffort,
): Promise<readonly Throughput[]> {
  const measured = REPLAYS.flatMap((scenario) =>
    levels.map((concurrent): Measured => {
      const rates = Object.fromEntries(Object.keys(bundles).map((name): [string, number[]] => [name, []]));
      return { scenario, concurrent, rates, made: 0, taken: 0 };
    }),
  );
  const spent = await cpuOf("-port", new URL(local.endpoint).port);
  for (let set = 0; set < sets; set++) {
    const children: Record<string, Child> = {};
    try {
      for (const [name, bundle] of Object.entries(bundles)) children[name] = await started(bundle, local);
      for (let turn = 0; turn < PRIMING.turns; turn++) {
        for (const child of Object.values(children)) {
          for (const scenario of REPLAYS) await child.run({ scenario, ...PRIMING });
        }
      }
      for (const one of measured) await measure(one, { children, spent, rounds, slice, set });
    } finally {
      for (const child of Object.values(children)) child.end();
    }
  }
  return measured.map(({ scenario: { path }, concurrent, rates, made, taken }) => {
    const peer = rates["peer"] ?? [];
    const by = (pick: (all: readonly number[]) => number): Readonly<Record<string, number>> =>
      Object.fromEntries(Object.entries(rates).map(([name, all]) => [name, pick(all)]));
    return {
      path,
      concurrent,
      perSecond: by(median),
      more: by((all) => median(ratios(all, peer))),
      local: taken / made,
    };
  });
}

interface Slices {
  readonly children: Readonly<Record<string, Child>>;
  /** CPU time of DynamoDB Local, in µs, so far. */
  readonly spent: () => Promise<number | undefined>;
  readonly rounds: number;
  readonly slice: number;
  /** Which set it is: each begins at the other end, since who is measured twice in a row has not rested. */
  readonly set: number;
}

async function measure(one: Measured, { children, spent, rounds, slice, set }: Slices): Promise<void> {
  const { scenario, concurrent } = one;
  const calls: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    const inTurn = Object.entries(children);
    for (const [name, child] of (set + round) % 2 === 0 ? inTurn : inTurn.reverse()) {
      const count = calls[name] ?? (await callsFor(child, one, slice));
      calls[name] = count;
      const before = await spent();
      const { elapsed } = await child.run({ scenario, calls: count, concurrent });
      one.taken += ((await spent()) ?? 0) - (before ?? 0);
      one.made += count;
      one.rates[name]?.push((count / elapsed) * 1_000);
    }
  }
}

/** A process whose table has an answer for each key. */
async function started(bundle: string, local: LocalDynamoDB): Promise<Child> {
  const child = startChild(bundle, {
    AWS_ENDPOINT_URL_DYNAMODB: local.endpoint,
    AWS_REGION: localConfig.region,
    AWS_ACCESS_KEY_ID: localConfig.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localConfig.credentials.secretAccessKey,
    BENCH_TABLE: await local.createTable(),
  });
  const [many, again] = REPLAYS;
  await child.run({ scenario: many, calls: MANY, concurrent: 10 });
  await child.run({ scenario: again, calls: 1 });
  return child;
}

/** How many calls take about so many milliseconds. */
async function callsFor(child: Child, { scenario, concurrent }: Measured, slice: number): Promise<number> {
  const calls = 100 + 2 * concurrent;
  const { elapsed } = await child.run({ scenario, concurrent, calls });
  return Math.max(calls, Math.round((slice / elapsed) * calls));
}
