import type { Random } from "./random.ts";

/** How the function of an operation works. */
export type Mode = "plain" | "steps" | "atomic" | "commit" | "at commit";

/** One operation, as every process wraps it. Milliseconds. */
export interface OperationPlan {
  readonly name: string;
  readonly mode: Mode;
  readonly retention: number;
  readonly lockFor: number | undefined;
  readonly deadlineMargin: number;
  readonly whenInProgress: "reject" | "wait" | number;
  readonly whenCompleted: "replay" | "reject";
  readonly whenAbandoned: "rerun" | "reject";
  readonly remember: "default" | "keeps errors" | "by chance";
  readonly lookup: "auto" | "first" | "never";
  readonly fingerprinted: boolean;
  /** Its keys are one-time tokens, which end then: milliseconds after the run's begin. */
  readonly tokens: number | undefined;
  /** Some of its processes claim at the start, others at the commit, as while an option is changed. */
  readonly mixed: boolean;
  /** Its processes keep completed results. */
  readonly cached: boolean;
  /** Which of the steps is to begin once. */
  readonly onceStep: number | undefined;
  readonly parallelSteps: boolean;
}

/** What makes two calls the same. */
export interface Identity {
  readonly operation: OperationPlan;
  readonly principal: string;
  readonly key: string;
}

/** How the function of one call goes. */
export interface FunctionPlan {
  readonly pauses: readonly number[];
  readonly ends: "returns" | "throws" | "unknown" | "unstorable";
  /** It ends where its signal aborts. */
  readonly heeds: boolean;
  /** The result is long enough to be compressed. */
  readonly long: boolean;
  /** What a step does, by its number. */
  readonly steps: readonly ("works" | "throws" | "unknown")[];
  /** It handles the step that was interrupted, and goes on. */
  readonly handlesInterrupted: boolean;
  /** Its writes have a condition that may not hold. */
  readonly guarded: boolean;
}

/** Everything of a run that is fixed before it begins. */
export interface Scenario {
  readonly machines: number;
  /** Between the clocks of two machines lies less than this. */
  readonly lockMargin: number;
  /** What a Lambda has to run; `undefined`: the callers do not know. */
  readonly remaining: number | undefined;
  readonly identities: readonly Identity[];
  readonly fingerprints: readonly string[];
  /** When the calls arrive, in milliseconds. */
  readonly arrivals: readonly number[];
  /** The longest that a request is on its way, and its response, in milliseconds; with 0 moments are equal that hardly ever are. */
  readonly latency: number;
  /** How long the store knows a commit's token, in milliseconds: ten minutes, or so short that its condition alone holds. */
  readonly tokenKnown: number;
  /** Of a request: that it meets a fault. */
  readonly faultiness: number;
  /** Of any event of a process: that it crashes there, or freezes. */
  readonly mortality: number;
}

const MODES: readonly Mode[] = ["plain", "steps", "steps", "atomic", "atomic", "commit", "at commit"];

export function scenarioOf(random: Random): Scenario {
  const lockMargin = random.pick([200, 1_000, 5_000]);
  const remaining = random.chance(0.7) ? random.pick([1_500, 4_000, 15_000]) : undefined;
  const tokenKnown = random.pick([0, 600_000]);
  const operations = Array.from({ length: random.chance(0.8) ? 1 : 2 }, (_, index) =>
    operationOf(random, index, tokenKnown),
  );
  const principals = random.chance(0.8) ? ["p1"] : ["p1", "p2"];
  const keys = random.chance(0.75) ? ["k1"] : ["k1", "k2"];
  const span = random.pick([300, 3_000, 12_000, 40_000]);
  const calls = random.int(2, 9);
  return {
    machines: random.int(2, 5),
    lockMargin,
    remaining,
    identities: operations.flatMap((operation) =>
      principals.flatMap((principal) => keys.map((key) => ({ operation, principal, key }))),
    ),
    fingerprints: random.chance(0.7) ? ["f1"] : ["f1", "f1", "f2"],
    arrivals: Array.from({ length: calls }, () => random.int(0, span)),
    tokenKnown,
    latency: random.pick([0, 12, 12, 12]),
    faultiness: random.pick([0, 0.05, 0.15, 0.3, 0.3, 0.5]),
    mortality: random.pick([0, 0, 0.01, 0.04]),
  };
}

function operationOf(random: Random, index: number, tokenKnown: number): OperationPlan {
  const mode = random.pick(MODES);
  const locks = mode !== "at commit";
  const deadlineMargin = random.pick([60, 200, 500]);
  // Where the commit is the claim and its token is not known, nothing but the record keeps a late copy out.
  const retention = random.pick(
    locks || tokenKnown > 0 ? [3_000, 10_000, 120_000, 86_400_000] : [240_000, 240_000, 86_400_000],
  );
  const lockFor = locks && random.chance(0.5) ? random.pick([700, 1_500, 3_000]) : undefined;
  return {
    name: `op${index + 1}`,
    mode,
    retention,
    lockFor,
    deadlineMargin,
    whenInProgress: locks ? random.pick(["reject", "reject", "wait", 400, 3_000] as const) : "reject",
    whenCompleted: random.chance(0.9) ? "replay" : "reject",
    whenAbandoned: locks && random.chance(0.15) ? "reject" : "rerun",
    remember: random.pick(["default", "default", "keeps errors", "by chance"] as const),
    lookup: random.pick(["auto", "auto", "first", "never"] as const),
    fingerprinted: random.chance(0.6),
    tokens: locks && random.chance(0.2) ? random.pick([4_000, 15_000, 3_600_000]) : undefined,
    mixed: !locks && random.chance(0.4),
    cached: random.chance(0.2),
    onceStep: random.chance(0.6) ? random.int(0, 2) : undefined,
    parallelSteps: random.chance(0.25),
  };
}

export function functionPlanOf(random: Random): FunctionPlan {
  const pause = (): number => random.pick([0, random.int(1, 60), random.int(1, 60), random.int(100, 2_000), 6_000]);
  return {
    pauses: [pause(), random.int(0, 40), random.chance(0.2) ? pause() : 1],
    ends: random.chance(0.7) ? "returns" : random.pick(["throws", "throws", "unknown", "unstorable"] as const),
    heeds: random.chance(0.5),
    long: random.chance(0.1),
    steps: [0, 1, 2].map(() => (random.chance(0.85) ? "works" : random.pick(["throws", "unknown"] as const))),
    handlesInterrupted: random.chance(0.5),
    guarded: random.chance(0.6),
  };
}

/** A function that comes to its end at once, as when nothing is wrong any more. */
export const CALM_FUNCTION: FunctionPlan = {
  pauses: [1, 1, 1],
  ends: "returns",
  heeds: false,
  long: false,
  steps: ["works", "works", "works"],
  handlesInterrupted: true,
  guarded: false,
};
