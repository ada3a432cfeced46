import type { ThroughputEffort } from "./measure/throughput.ts";
import type { Bytes, Path, Scenario } from "./subjects/scenario.ts";

/** How much is measured: all of it, or enough to see that it works. */
export interface Effort {
  readonly quick: boolean;
  readonly freshRounds: number;
  /** `sets` of processes answered in memory: V8 does not compile the same in all. */
  readonly warm: { readonly sets: number; readonly rounds: number; readonly quick: boolean };
  readonly throughput: ThroughputEffort;
}

export const FULL: Effort = {
  quick: false,
  freshRounds: 7,
  warm: { sets: 3, rounds: 7, quick: false },
  throughput: { sets: 3, rounds: 3, slice: 500, levels: [1, 10, 100] },
};

export const QUICK: Effort = {
  quick: true,
  freshRounds: 3,
  warm: { sets: 1, rounds: 5, quick: true },
  throughput: { sets: 1, rounds: 3, slice: 200, levels: [10] },
};

/** What Lambda's own start of Node.js sets at 128 MB. With any such flag V8 does not take the code that Node.js has compiled of itself. */
export const LAMBDA_FLAGS = ["--max-semi-space-size=6", "--max-old-space-size=116"];
export const IN_LAMBDA = `import, bundled, with ${LAMBDA_FLAGS.join(" ")}`;

const LIBRARIES_PATHS: readonly Path[] = ["first", "replay", "again", "cached", "progress", "error"];
const EVENTS: readonly Bytes[] = [200, 5_000, 100_000];

const all = (paths: readonly Path[], events: readonly Bytes[], keys: readonly Scenario["key"][]): readonly Scenario[] =>
  paths.flatMap((path) => keys.flatMap((key) => events.map((event): Scenario => ({ path, event, key, result: 200 }))));

/** What the figures to reach ask for. */
const FIGURES: readonly Scenario[] = [
  ...all(["first"], EVENTS, ["field"]),
  ...all(["replay"], [200], ["field"]),
  ...all(["cached"], [200, 100_000], ["field"]),
];

/** Whether a scenario is measured in long batches: those of the figures to reach that ask DynamoDB. */
export const isLong = ({ path, event, key, result }: Scenario): boolean =>
  path !== "cached" &&
  FIGURES.some((one) => one.path === path && one.event === event && one.key === key && one.result === result);

/** Replays of results larger than the event. */
const LARGE_RESULTS: readonly Scenario[] = [
  { path: "replay", event: 200, key: "field", result: 5_000 },
  { path: "replay", event: 200, key: "field", result: 100_000 },
  { path: "cached", event: 200, key: "field", result: 5_000 },
  { path: "cached", event: 200, key: "field", result: 100_000 },
];

/** The scenarios that are measured over TLS. */
export const overTls = ({ quick }: Effort): readonly Scenario[] =>
  quick
    ? FIGURES
    : [
        ...all(LIBRARIES_PATHS, EVENTS, ["field"]),
        ...all(["first", "replay"], EVENTS, ["event"]),
        ...LARGE_RESULTS.filter(({ path }) => path === "replay"),
      ];

/** The scenarios that are measured with the HTTP answered in memory. */
export const inMemory = ({ quick }: Effort): readonly Scenario[] =>
  quick ? FIGURES : [...all(LIBRARIES_PATHS, EVENTS, ["field", "event"]), ...LARGE_RESULTS];
