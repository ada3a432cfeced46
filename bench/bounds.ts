import { type Client, fresh, inMemory, price, rate, size, warm } from "./figures.ts";
import { IN_LAMBDA } from "./plan.ts";
import type { Results } from "./results.ts";

/** One figure, as a ratio to the peer in the same run: how many times less it takes, or how many times more it does. */
export interface Figure {
  readonly name: string;
  readonly client: Client;
  /** What is to be reached. */
  readonly aim: number;
  /** Below this the gate fails: what was measured, less what a busy machine adds and takes. */
  readonly bound: number;
  of(results: Results): number;
}

/** The aim for the bundle of the light client, and what the peer takes, in kB. */
const BUNDLE = { aim: 25, peer: 117.7 } as const;

type Bounds = Readonly<
  Record<"first" | "replay" | "cold" | "bundled" | "unbundled" | "bundle" | "cached" | "rate", number>
>;

/** The figures over a client of the SDK: the one that we make, and the one that the peer makes. */
function sdkFigures(client: Client, bound: Bounds): readonly Figure[] {
  const of = (name: string, aim: number, least: number, measured: Figure["of"]): Figure => ({
    ...{ name, client, aim, bound: least, of: measured },
  });
  return [
    of("warm CPU, first, 200 B event", 1.8, bound.first, warm("first", 200, client)),
    of("warm CPU, first, 5 kB event", 1.8, bound.first, warm("first", 5_000, client)),
    of("warm CPU, first, 100 kB event", 1.8, bound.first, warm("first", 100_000, client)),
    of("warm CPU, replay, 200 B", 1.8, bound.replay, warm("replay", 200, client)),
    of("CPU of calls 11 - 100, fresh process", 1.2, bound.cold, fresh("first: calls 11 - 100", client)),
    of("import, bundled", 1, bound.bundled, fresh("import, bundled", client)),
    of("the same, with Lambda's flags for memory", 1, bound.bundled, fresh(IN_LAMBDA, client)),
    of("import, unbundled", 1, bound.unbundled, fresh("import, unbundled", client)),
    of("bundle, gzip", 1, bound.bundle, size(client)),
    of("cached replay, 200 B event", 2, bound.cached, warm("cached", 200, client)),
    of("cached replay, 100 kB event", 2, bound.cached, warm("cached", 100_000, client)),
    of("replays per second on DynamoDB Local, 10 at a time", 1.2, bound.rate, rate(client)),
    of("price of a replay of 5 kB, looked up first", 10, 40, price),
  ];
}

/** The figures to reach, and the bounds of `npm run bench:gate`. */
export const FIGURES: readonly Figure[] = [
  { name: "warm CPU, first, 200 B event", client: "light", aim: 10, bound: 1.8, of: warm("first", 200, "light") },
  { name: "warm CPU, first, 5 kB event", client: "light", aim: 12, bound: 1.8, of: warm("first", 5_000, "light") },
  { name: "warm CPU, first, 100 kB event", client: "light", aim: 12, bound: 1.8, of: warm("first", 100_000, "light") },
  {
    name: "the same, HTTP answered in memory, 200 B",
    client: "light",
    aim: 10,
    bound: 3,
    of: inMemory("first", 200),
  },
  {
    name: "the same, HTTP answered in memory, 5 kB",
    client: "light",
    aim: 12,
    bound: 3,
    of: inMemory("first", 5_000),
  },
  {
    name: "the same, HTTP answered in memory, 100 kB",
    client: "light",
    aim: 12,
    bound: 3,
    of: inMemory("first", 100_000),
  },
  { name: "warm CPU, replay, 200 B", client: "light", aim: 12, bound: 1.7, of: warm("replay", 200, "light") },
  { name: "the same, HTTP answered in memory", client: "light", aim: 12, bound: 2.8, of: inMemory("replay", 200) },
  {
    name: "CPU of calls 11 - 100, fresh process",
    client: "light",
    aim: 3.5,
    bound: 2,
    of: fresh("first: calls 11 - 100", "light"),
  },
  { name: "import, bundled", client: "light", aim: 3, bound: 1.9, of: fresh("import, bundled", "light") },
  {
    name: "the same, with Lambda's flags for memory",
    client: "light",
    aim: 3,
    bound: 1.6,
    of: fresh(IN_LAMBDA, "light"),
  },
  { name: "import, unbundled", client: "light", aim: 8, bound: 4.8, of: fresh("import, unbundled", "light") },
  { name: "bundle, gzip", client: "light", aim: BUNDLE.peer / BUNDLE.aim, bound: 2.265, of: size("light") },
  { name: "cached replay, 200 B event", client: "light", aim: 2, bound: 2, of: warm("cached", 200, "light") },
  { name: "cached replay, 100 kB event", client: "light", aim: 2, bound: 2, of: warm("cached", 100_000, "light") },
  {
    name: "replays per second on DynamoDB Local, 10 at a time",
    client: "light",
    aim: 3,
    bound: 1.2,
    of: rate("light"),
  },
  { name: "price of a replay of 5 kB, looked up first", client: "light", aim: 10, bound: 40, of: price },
  ...sdkFigures("own", {
    first: 0.9,
    replay: 0.9,
    cold: 0.9,
    bundled: 0.8,
    unbundled: 0.95,
    bundle: 0.79,
    cached: 2,
    rate: 0.9,
  }),
  ...sdkFigures("sdk", {
    first: 0.45,
    replay: 0.6,
    cold: 0.75,
    bundled: 0.8,
    unbundled: 0.95,
    bundle: 0.79,
    cached: 2,
    rate: 0.7,
  }),
];

/** What `npm run bench:gate -- --counted` counts: exact, whatever the machine does meanwhile. */
export const COUNTED = {
  /** Requests, write units and read units of each path, with small results. */
  requests: {
    "first execution": [2, 2, 0],
    replay: [1, 1, 0],
    "replay, looked up first": [1, 0, 0.5],
    "first execution, looked up first": [3, 2, 0.5],
    "error, key given back": [2, 2, 0],
    "refused, in progress": [1, 1, 0],
    "one step": [3, 3, 0],
    "three steps": [5, 5, 0],
    "one step with { once: true }": [4, 4, 0],
    "commit with 1 write": [2, 5, 0],
    "commit with 2 writes": [2, 7, 0],
    "commit with 1 write, claimAt 'commit'": [1, 4, 0],
  },
  /** Bytes, gzip, of a wrapped handler with its store; beside the entries of .size-limit.js. */
  bundles: { light: 51_910, own: 148_000, sdk: 148_000 },
  /** Bytes, gzip, of the demo's functions as the constructs bundle them. */
  constructs: { Orders: 175_000, Checkouts: 173_000, Webhook: 179_000, Payments: 56_000, Authorizer: 1_500 },
  /** Files that an import evaluates, by package: of ours at most so many, of others exactly these. */
  modules: {
    "lambda-once": { ours: 3, others: { "@jmespath-community/jmespath": 1 } },
    "lambda-once/dynamodb/light": { ours: 3, others: {} },
  },
} as const;
