import { IdempotencyOutcomeUnknownError, isIdempotencyError } from "../../src/core/errors.ts";
import type { WriteAction } from "../../src/core/write.ts";
import { type CurrentClaim, currentClaim } from "../../src/lambda/frames.ts";
import { type Call, type KeyHistory, keyOf, type Run } from "./history.ts";
import type { Simulation } from "./simulation.ts";

/** What every function answers: whose call it was, and which execution made it. */
export interface Result {
  readonly of: string;
  readonly run: number;
  readonly [more: string]: unknown;
}

/** Whose key a call is of: two calls of one key have it in common, and no others. */
export const ofCall = ({ identity: { operation, principal, key }, fingerprint }: Call): string =>
  [operation.name, principal, key, operation.fingerprinted ? fingerprint : ""].join("/");

/** The error of a function's own. */
export class BusinessError extends Error {
  override readonly name = "BusinessError";
}

const STEPS = ["reserve", "charge", "ship"] as const;

/** Carries out the operation of a call, as its plan says. */
export async function perform(simulation: Simulation, call: Call): Promise<unknown> {
  const claim = currentClaim();
  const run = begin(simulation, call, claim);
  const { mode } = call.identity.operation;
  try {
    await pause(run, claim, 0);
    const steps = mode === "steps" ? await threeSteps(simulation, run, claim) : undefined;
    if (mode === "atomic" || mode === "at commit") claim.write(...writesOf(run, "whole"));
    await pause(run, claim, 1);
    const result: Result = { of: ofCall(call), run: run.number, ...(steps === undefined ? {} : { steps }) };
    if (mode === "commit") await commitNow(run, claim, result);
    await pause(run, claim, 2);
    return end(run, result);
  } catch (error) {
    run.error = error;
    run.unknown = !isKnown(error) || claim.remainingTimeInMillis() === 0;
    throw error;
  } finally {
    run.endedAt = simulation.world.now();
    simulation.world.tell(
      call.machine.name,
      () => `ends run ${run.number}${run.error === undefined ? "" : `: ${String(run.error)}`}`,
    );
  }
}

function begin(simulation: Simulation, call: Call, claim: CurrentClaim): Run {
  const { world, history, fail } = simulation;
  const id = claim.id as string;
  const key = keyOf(history, id);
  const run: Run = {
    ...{ number: call.number, call, id, owner: call.owner as string, attempt: claim.attempt, window: key.window },
    ...{ begunAt: world.now(), unknown: false, commits: new Map() },
  };
  world.tell(call.machine.name, () => `begins run ${run.number}, attempt ${run.attempt}`);
  if (call.run !== undefined) fail("I4", `the call ${call.number} ran twice`);
  call.run = run;
  if (!call.vacant) overlaps(simulation, key, run);
  key.runs.push(run);
  return run;
}

function overlaps({ world, scenario, history, fail }: Simulation, key: KeyHistory, run: Run): void {
  // A late owner: whoever has taken its key was judged when it did.
  if (history.lost.has(run.owner)) return;
  for (const other of key.runs) {
    if (
      other.call.vacant ||
      other.endedAt !== undefined ||
      !other.call.machine.alive() ||
      other.call.endedAt !== undefined
    )
      continue;
    // What goes on after its commit is no execution of the key's any more.
    if (key.completions.some(({ owner }) => owner === other.owner)) continue;
    const lockEnds = history.locks.get(other.owner) ?? Number.POSITIVE_INFINITY;
    const now = world.now();
    const told = `run ${run.number} (attempt ${run.attempt}) began while run ${other.number} (attempt ${other.attempt}) went on`;
    if (lockEnds > now + scenario.lockMargin / 2)
      fail("I4", `${told}, ${lockEnds - now} ms before the end of its lock`);
    if (other.window === run.window && run.attempt <= other.attempt) fail("I4", told);
    const wasFrozen = other.call.machine.freezes() > other.call.freezesBefore;
    if (!wasFrozen && other.call.remaining !== undefined && other.call.identity.operation.lockFor === undefined)
      fail("I4", `${told}, which had not used up its caller's time`);
  }
}

async function threeSteps(simulation: Simulation, run: Run, claim: CurrentClaim): Promise<unknown> {
  const { operation } = run.call.identity;
  const one = (index: number): Promise<unknown> => step(simulation, run, claim, index);
  if (operation.parallelSteps) return Promise.all([one(0), one(1), one(2)]);
  return [await one(0), await one(1), await one(2)];
}

async function step(simulation: Simulation, run: Run, claim: CurrentClaim, index: number): Promise<unknown> {
  const { history, fail, world } = simulation;
  const { call, id, window } = run;
  const name = STEPS[index] as string;
  const once = call.identity.operation.onceStep === index;
  const key = keyOf(history, id);
  const place = `${window}/${name}`;
  const before = simulation.server.found(id);
  const recordedBefore =
    before?.status === "IN_PROGRESS" && before.owner === run.owner && isRecorded(before.steps[name]);
  let ran = false;
  const begunBy = `${place} of ${id}`;

  async function work(): Promise<unknown> {
    ran = true;
    world.tell(call.machine.name, () => `runs step ${name}`);
    if (recordedBefore) fail("I7", `run ${run.number} runs the step ${name}, which its own record holds`);
    const earlier = key.begun.get(place);
    if (once && earlier !== undefined && earlier !== "failed")
      fail("I7", `run ${run.number} begins the step ${name} once more, which was ${earlier} (${begunBy})`);
    key.begun.set(place, "begun");
    await rest(call, call.plan.pauses[1] ?? 0);
    const fate = call.plan.steps[index];
    if (fate === "unknown") throw new IdempotencyOutcomeUnknownError(`step ${name} of run ${run.number}`);
    if (fate === "throws") {
      key.begun.set(place, "failed");
      throw new BusinessError(`step ${name} of run ${run.number}`);
    }
    return { step: name, by: run.number };
  }

  try {
    const value = await claim.step(name, work as () => Promise<{ step: string; by: number }>, once ? { once } : {});
    if (key.recorded.get(place) !== JSON.stringify(value))
      fail("I7", `the step ${name} answered run ${run.number} with what its record never held`);
    if (ran) key.begun.set(place, "recorded");
    return value;
  } catch (error) {
    const interrupted = isIdempotencyError(error) && error.code === "step_interrupted";
    if (interrupted && !isMarkedByAnother(before, name, run))
      fail("I12", `the step ${name} was told to be interrupted`);
    if (interrupted && call.plan.handlesInterrupted) return "interrupted";
    throw error;
  }
}

const isRecorded = (step: { readonly encoding: string } | undefined): boolean =>
  step !== undefined && step.encoding !== "started";

function isMarkedByAnother(before: ReturnType<Simulation["server"]["found"]>, name: string, run: Run): boolean {
  // A late owner sees what it was granted, not what stands there now.
  if (before?.status !== "IN_PROGRESS" || before.owner !== run.owner) return true;
  const step = before.steps[name];
  return step?.encoding === "started" && step.data !== run.owner;
}

/** A row of the execution's own, and, where the plan says so, a gate that must be open. */
function writesOf({ number, id, call }: Run, part: string): WriteAction[] {
  const put: WriteAction = { Put: { TableName: "rows", Item: { id: `${number}/${part}` } } };
  if (!call.plan.guarded) return [put];
  const gate = { TableName: "gates", Key: { id }, ConditionExpression: "attribute_not_exists(closed)" };
  return [put, { ConditionCheck: gate }];
}

/** Commits; where a condition failed, once more with other writes and another result. */
async function commitNow(run: Run, claim: CurrentClaim, result: Result): Promise<void> {
  for (const part of ["first", "second"]) {
    const row = `${run.number}/${part}`;
    run.commits.set(row, "failed");
    try {
      const { committed } = await claim.commit(writesOf(run, part), { result: { ...result, part } as never });
      run.commits.set(row, committed ? "committed" : "refused");
      if (committed) return;
    } catch (error) {
      if (isIdempotencyError(error) && error.code === "store_failed" && error.outcome === "unknown")
        run.commits.set(row, "unknown");
      throw error;
    }
    await rest(run.call, 30);
  }
}

const isKnown = (error: unknown): boolean => {
  if (isIdempotencyError(error)) {
    if (error.code === "store_failed") return error.outcome === "known";
    return error.code !== "outcome_unknown" && error.code !== "step_interrupted";
  }
  return (error as { readonly name?: unknown } | null)?.name !== "TimeoutError";
};

async function pause(run: Run, claim: CurrentClaim, index: number): Promise<void> {
  await rest(run.call, run.call.plan.pauses[index] ?? 0);
  if (run.call.plan.heeds && claim.signal.aborted) throw claim.signal.reason;
}

/** The function waits for something else than the store. */
const rest = ({ machine }: Call, millis: number): Promise<void> =>
  new Promise((resolve) => void machine.after(millis, resolve));

function end({ number, call: { plan } }: Run, result: Result): unknown {
  switch (plan.ends) {
    case "throws":
      throw new BusinessError(`run ${number}`);
    case "unknown":
      throw Object.assign(new Error(`run ${number}`), { name: "TimeoutError" });
    case "unstorable":
      return { ...result, at: new Map() };
    case "returns":
      return plan.long ? { ...result, long: "lambda ".repeat(200) } : result;
  }
}
