import { isIdempotencyError } from "../../src/core/errors.ts";
import { checkEnd } from "./answers.ts";
import { type Worker, workerOf } from "./calls.ts";
import { type Coverage, coverageOf } from "./faults.ts";
import { type Answer, type Call, historyOf, keyOf } from "./history.ts";
import type { Violation } from "./invariants.ts";
import { someFaults } from "./network.ts";
import { CALM_FUNCTION, functionPlanOf, type Identity, scenarioOf } from "./scenario.ts";
import { serverOf, tablesOf } from "./server.ts";
import type { Mutant, Simulation } from "./simulation.ts";
import { EPOCH, worldOf } from "./world.ts";

export interface SimulateOptions {
  readonly mutant?: Mutant | undefined;
  /** Keeps a line for everything that happens. */
  readonly traced?: boolean;
  /** Only so many faults happen: with fewer of them a failure is easier to read. */
  readonly mostFaults?: number | undefined;
  readonly coverage?: Coverage;
}

/** What came of one seed. */
export interface Simulated {
  readonly violations: readonly Violation[];
  readonly lines: readonly string[];
  readonly faults: number;
  readonly calls: number;
}

/** One run, from its seed alone: the same seed is the same run, on every machine. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Simulated> {
  const { mutant, traced = false, mostFaults = Number.POSITIVE_INFINITY, coverage = coverageOf() } = options;
  const world = worldOf(seed, traced);
  const { random } = world;
  const scenario = scenarioOf(random);
  const violations: Violation[] = [];
  const tables = tablesOf();
  const workers: Worker[] = [];
  let calm = false;
  let spent = 0;
  let onTime = 3;

  const simulation: Simulation = {
    ...{ world, scenario, coverage, mutant, history: historyOf(), faults: someFaults(random) },
    server: undefined as never,
    calm: () => calm,
    spend: () => spent < mostFaults && ++spent > 0,
    fail(invariant, what) {
      violations.push({ invariant, what });
      world.tell("BROKEN", () => `${invariant}: ${what}`);
    },
    changed(id, ends) {
      if (calm || onTime === 0 || !random.chance(0.15)) return;
      onTime--;
      const { identity } = keyOf(simulation.history, id);
      const worker = random.pick(workers);
      const end = random.pick(ends);
      world.after(end - worker.machine.skew() - world.now() + random.pick([-1, 0, 0, 0, 1]), () => {
        if (worker.isIdle()) worker.call(identity, random.pick(scenario.fingerprints), functionPlan());
      });
    },
    mayDie(machine) {
      if (calm || !random.chance(scenario.mortality) || !simulation.spend("death")) return;
      if (random.chance(0.5)) machine.crash();
      else machine.freeze(random.int(5, random.pick([300, 3_000, 20_000])), random.chance(0.3));
    },
  };
  Object.assign(simulation, { server: serverOf(simulation, tables) });
  for (const identity of scenario.identities) {
    const { tokens } = identity.operation;
    if (tokens !== undefined) simulation.server.issue(identity, EPOCH + tokens);
  }
  const functionPlan = () => (calm ? CALM_FUNCTION : functionPlanOf(random));

  for (let index = 0; index < scenario.machines; index++) workers.push(workerOf(simulation, `w${index + 1}`));

  function arrive(tries: number): void {
    const index = random.int(0, workers.length - 1);
    const worker = workers[index] as Worker;
    if (!worker.machine.alive()) workers[index] = workerOf(simulation, `${worker.machine.name}'`);
    if (workers[index]?.isIdle() !== true) {
      if (tries > 0) world.after(random.int(1, 300), () => arrive(tries - 1));
      return;
    }
    workers[index]?.call(random.pick(scenario.identities), random.pick(scenario.fingerprints), functionPlan());
  }

  const span = Math.max(...scenario.arrivals) + 1;
  for (const at of scenario.arrivals) world.after(at, () => arrive(20));
  disturb(simulation, workers, tables.closed, span);

  const calmAt = EPOCH + span + random.int(0, 3_000);
  await world.run(calmAt);
  calm = true;
  tables.closed.clear();
  world.tell("world", () => "faults stop");
  const open = new Set<Identity>();
  for (const identity of new Set(simulation.history.calls.map((call) => call.identity))) {
    open.add(identity);
    probe(simulation, identity, calmAt, () => open.delete(identity));
  }
  try {
    await world.run();
  } catch (error) {
    simulation.fail("I5", String(error));
  }
  for (const { key } of open) simulation.fail("I5", `the key ${key} was never answered`);
  checkEnd(simulation);
  return { violations, lines: world.lines, faults: spent, calls: simulation.history.calls.length };
}

/** Clocks that are set, and gates that close and open. */
function disturb(
  { world, scenario, history }: Simulation,
  workers: readonly Worker[],
  closed: Set<string>,
  span: number,
): void {
  const { random } = world;
  const half = Math.floor(scenario.lockMargin / 2);
  for (let times = random.int(0, 2); times > 0; times--) {
    world.after(random.int(0, span), () => random.pick(workers).machine.setSkew(random.int(-half, half)));
  }
  const close = (): void => {
    for (const id of history.keys.keys()) closed.add(id);
    world.tell("world", () => "closes the gates");
  };
  const open = (): void => {
    closed.clear();
    world.tell("world", () => "opens the gates");
  };
  if (random.chance(0.4)) {
    for (const at of scenario.arrivals) world.after(at + 1, close);
    world.after(random.int(0, span), open);
  }
  for (let times = random.int(0, 3); times > 0; times--) {
    const at = random.int(0, span);
    world.after(at, close);
    world.after(at + random.pick([20, 100, 1_000, 5_000]), open);
  }
}

/** The option `lockMargin` where it is not given, in milliseconds. */
const DEFAULT_MARGIN = 5_000;

/** A caller who tries until it is answered, and once more to get the same answer. */
function probe(simulation: Simulation, identity: Identity, calmAt: number, done: () => void): void {
  const { world, scenario, fail, history } = simulation;
  // A call that claims at the commit takes no lock, and no margin of its own, until it succeeds a record that it finds.
  const lockMargin = identity.operation.mixed ? Math.max(scenario.lockMargin, DEFAULT_MARGIN) : scenario.lockMargin;
  const lock =
    identity.operation.lockFor ?? (scenario.remaining === undefined ? 60_000 : scenario.remaining + lockMargin);
  const fingerprint = scenario.fingerprints[0] as string;
  let names = 0;

  function ask(then: (answer: Answer, call: Call) => void): void {
    const worker = workerOf(simulation, `probe${identity.operation.name.slice(2)}${++names}`);
    const call: Call = worker.call(identity, fingerprint, CALM_FUNCTION, (answer) => then(answer, call));
  }

  function again(answer: Answer, call: Call): void {
    const late =
      world.now() - Math.max(calmAt, keyOf(history, call.id as string).touchedAt) - lock - scenario.lockMargin;
    const error = answer.status === "threw" ? answer.error : undefined;
    const code = isIdempotencyError(error) ? error.code : undefined;
    const isTimeout = isIdempotencyError(error) && error.code === "store_failed" && error.reason === "timeout";
    if ((code === "in_progress" || code === "claim_lost" || code === "no_time_left" || isTimeout) && late <= 2_000) {
      const { retryAfter, lockEndsIn } = error as { readonly retryAfter?: number; readonly lockEndsIn?: number };
      world.after(Math.max(lockEndsIn ?? 0, (retryAfter ?? 1) * 1000) + 1, () => ask(again));
      return;
    }
    if (code === "in_progress" || code === "store_failed" || code === "claim_lost" || code === "no_time_left")
      return fail("I5", `call ${call.number} was told ${code}, though no fault had happened for long`);
    if (late > 2_500) fail("I5", `call ${call.number} was answered ${late} ms after lock and margin`);
    ask(() => done());
  }

  ask(again);
}
