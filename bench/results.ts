import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDynamoDBLocal } from "../infra/local/dynamodb-local.ts";
import { bundle, originsOf, readableBundle, unbundled, unrun, zipped } from "./bundle.ts";
import { constructBundles, type Deployed } from "./constructs.ts";
import { countPaths, countSizes, type Sized } from "./cost/paths.ts";
import type { Bill } from "./cost/prices.ts";
import { type Installation, install } from "./install.ts";
import { type Child, startChild } from "./measure/child.ts";
import { type FreshFigure, freshFigure, freshRounds } from "./measure/fresh.ts";
import { profile, type Shares } from "./measure/profile.ts";
import { type Throughput, throughput } from "./measure/throughput.ts";
import { prime, type Rounds, type Warm, warm, warmFigure } from "./measure/warm.ts";
import { type Effort, IN_LAMBDA, inMemory, isLong, LAMBDA_FLAGS, overTls } from "./plan.ts";
import { FLOORS, HANDLERS, NOTHING, SUBJECTS, type Subject } from "./programs.ts";
import { type Place, startServer } from "./server.ts";
import type { Scenario } from "./subjects/scenario.ts";

/** All that one run has measured. */
export interface Results {
  /** Over TLS to a server in another process, and with the HTTP answered in memory. */
  readonly tls: readonly Warm[];
  readonly memory: readonly Warm[];
  /** Figures of fresh processes by name; CPU ms, and bytes. */
  readonly fresh: Readonly<Record<string, FreshFigure>>;
  /** Bytes of a wrapped handler's bundle, gzip. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Minified bytes of the light client's bundle by what they are for. */
  readonly origins: Readonly<Record<string, number>>;
  /** Of the demo's functions, as the constructs bundle them. */
  readonly constructs: Readonly<Record<string, Deployed>>;
  readonly throughput: readonly Throughput[];
  readonly profiles: readonly Shares[];
  readonly bills: Readonly<Record<string, Bill>>;
  readonly sized: readonly Sized[];
  readonly minutes: number;
}

/** Measures everything, one thing after the other, in a folder of its own. */
export async function measureAll(effort: Effort, say: (what: string) => void): Promise<Results> {
  const folder = await mkdtemp(join(tmpdir(), "lambda-once-bench-"));
  const since = performance.now();
  try {
    say("build and install");
    const installed = await install(folder);
    const server = await startServer(folder);
    try {
      const { sizes, fresh } = await freshProcesses(installed, server.place, effort, say);
      const bundles = await bundlesOf(installed, SUBJECTS, "warm");
      say("warm calls over TLS");
      const tls = await warmCalls(["light", "own", "sdk", "socket", "wire", "parts", "peer"], {
        bundles,
        effort,
        scenarios: overTls(effort),
        env: server.place,
        sets: 1,
      });
      say("warm calls, answered in memory");
      const env = { ...server.place, BENCH_TRANSPORT: "memory" };
      const memory = await warmCalls(["light", "own", "sdk", "bare", "peer"], {
        ...{ bundles, effort, env },
        scenarios: inMemory(effort),
        sets: effort.warm.sets,
      });
      say("profiles");
      const profiles = await profiled(installed, server.place, effort);
      const local = await startDynamoDBLocal();
      try {
        say("throughput on DynamoDB Local");
        const { light = "", own = "", sdk = "", peer = "", bare = "" } = bundles;
        const asked = effort.quick ? { light, own, sdk, peer } : { light, own, sdk, bare, peer };
        const rates = await throughput(local, asked, effort.throughput);
        say("requests and units");
        const counted = { bills: await countPaths(local), sized: await countSizes(local) };
        const minutes = (performance.now() - since) / 60_000;
        const constructs = await constructBundles();
        const origins = await originsOf(fileURLToPath(HANDLERS.light));
        const bundled = { sizes, origins, constructs };
        return { tls, memory, fresh, ...bundled, throughput: rates, profiles, ...counted, minutes };
      } finally {
        await local.stop();
      }
    } finally {
      server.stop();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The bundles of the wrapped handlers, by name. */
export const handlerBundles = (installed: Installation): Promise<Readonly<Record<string, string>>> =>
  bundlesOf(installed, HANDLERS, "bundled");

async function bundlesOf(
  { file, copyOf }: Installation,
  programs: Readonly<Record<string, URL>>,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  const bundles: Record<string, string> = {};
  for (const [name, program] of Object.entries(programs)) {
    bundles[name] = await bundle(copyOf(program), file(`${folder}/${name}.mjs`));
  }
  return bundles;
}

async function freshProcesses(
  installed: Installation,
  place: Place,
  effort: Effort,
  say: (what: string) => void,
): Promise<Pick<Results, "fresh" | "sizes">> {
  const bundles = await handlerBundles(installed);
  const sizes: Record<string, number> = {};
  const loose: Record<string, string> = {
    nothing: await unbundled(installed.copyOf(NOTHING), installed.file("unbundled/nothing.mjs")),
  };
  for (const [name, program] of Object.entries(HANDLERS)) {
    sizes[name] = await zipped(bundles[name] ?? "");
    loose[name] = await unbundled(installed.copyOf(program), installed.file(`unbundled/${name}.mjs`));
  }
  const { light = "" } = bundles;
  loose["unrun"] = await unrun(light, installed.file("unbundled/unrun.mjs"));
  const runner = installed.file("handlers/fresh.mjs");
  const rounds = effort.freshRounds;
  say("fresh processes: imports and first calls");
  const unbundledImports = await freshRounds(runner, loose, { rounds, calls: 0, place });
  const first = await freshRounds(runner, bundles, { rounds, calls: 100, place });
  const replay = await freshRounds(runner, bundles, { rounds, calls: 100, place, env: { BENCH_PATH: "replay" } });
  const prewarm = { rounds: Math.ceil(rounds / 2), calls: 1, place, env: { PREWARM: "yes" } };
  const prewarmed = await freshRounds(runner, { light }, prewarm);
  const inLambda = await freshRounds(runner, bundles, { rounds, calls: 0, place, flags: LAMBDA_FLAGS });
  say("fresh processes: memory");
  const collected = { rounds: Math.ceil(rounds / 4), calls: 1_000, place, flags: ["--expose-gc"] };
  const used = await freshRounds(runner, bundles, collected);
  const fresh = {
    "import, unbundled": freshFigure(unbundledImports, ({ imported }) => imported),
    "import, bundled": freshFigure(first, ({ imported }) => imported),
    [IN_LAMBDA]: freshFigure(inLambda, ({ imported }) => imported),
    "first: call 1": freshFigure(first, ({ calls }) => calls[0]),
    "first: call 1 after prewarm()": freshFigure(prewarmed, ({ calls }) => calls[0]),
    "first: calls 2 - 10": freshFigure(first, ({ calls }) => calls[1]),
    "first: calls 11 - 100": freshFigure(first, ({ calls }) => calls[2]),
    "replay: call 1": freshFigure(replay, ({ calls }) => calls[0]),
    "replay: calls 2 - 10": freshFigure(replay, ({ calls }) => calls[1]),
    "replay: calls 11 - 100": freshFigure(replay, ({ calls }) => calls[2]),
    rss: freshFigure(used, ({ rss }) => rss),
    heap: freshFigure(used, ({ heapUsed }) => heapUsed),
  };
  return { fresh, sizes };
}

interface WarmCalls {
  readonly bundles: Readonly<Record<string, string>>;
  readonly effort: Effort;
  readonly scenarios: readonly Scenario[];
  readonly env: Place;
  /** Sets of processes for the scenarios of the figures to reach; the first one serves the others, too. */
  readonly sets: number;
}

async function warmCalls(
  names: readonly Subject[],
  { bundles, effort, scenarios, env, sets }: WarmCalls,
): Promise<readonly Warm[]> {
  // The gate has no figure of the floors, and each process more lets the others rest longer.
  const wanted = effort.quick ? names.filter((name) => !(name in FLOORS)) : names;
  const found = new Map(scenarios.map((scenario): [Scenario, Rounds[]] => [scenario, []]));
  for (let set = 0; set < sets; set++) {
    const children = Object.fromEntries(
      wanted.map((name): [string, Child] => [name, startChild(bundles[name] ?? "", env)]),
    );
    const isFloor = ([name]: readonly [string, Child]): boolean => name in FLOORS;
    const floors = Object.fromEntries(Object.entries(children).filter(isFloor));
    const libraries = Object.fromEntries(Object.entries(children).filter((one) => !isFloor(one)));
    try {
      await prime({ libraries, floors }, effort.quick);
      for (const [scenario, rounds] of found) {
        if (set > 0 && !isLong(scenario)) continue;
        const hasFloor = scenario.path === "first" || scenario.path === "replay";
        const long = !effort.quick && isLong(scenario);
        rounds.push(await warm(hasFloor ? children : libraries, scenario, { ...effort.warm, long }));
      }
    } finally {
      for (const child of Object.values(children)) child.end();
    }
  }
  return [...found].map(([scenario, rounds]) => warmFigure(scenario, rounds));
}

/** Where the time goes, for the figures that are hard to reach. */
async function profiled({ file, copyOf }: Installation, env: Place, { quick }: Effort): Promise<readonly Shares[]> {
  const first: Scenario = { path: "first", event: 200, key: "field", result: 200 };
  const cached: Scenario = { ...first, path: "cached" };
  const memory = { ...env, BENCH_TRANSPORT: "memory" };
  const most = quick ? 10 : 1;
  const found: Shares[] = [];
  for (const name of ["light", "own", "sdk", "peer"] as const) {
    const readable = await readableBundle(copyOf(SUBJECTS[name]), file(`readable/${name}.mjs`));
    const place = { bundle: readable, scenario: first };
    found.push(await profile(name, { ...place, what: "calls 1 - 100, TLS", env, calls: 100 }));
    found.push(await profile(name, { ...place, what: "warm, TLS", env, calls: 5_000 / most }));
    found.push(await profile(name, { ...place, what: "warm, in memory", env: memory, calls: 10_000 / most }));
    const kept = { bundle: readable, scenario: cached, env: memory, calls: 100_000 / most };
    found.push(await profile(name, { ...kept, what: "warm, kept in process" }));
  }
  return found;
}
