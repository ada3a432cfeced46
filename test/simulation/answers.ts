import { isIdempotencyError } from "../../src/core/errors.ts";
import { IdempotencyRememberedError } from "../../src/core/remembered-error.ts";
import { BusinessError, ofCall, type Result } from "./functions.ts";
import { type Answer, type Call, type Completion, keyOf } from "./history.ts";
import type { Simulation } from "./simulation.ts";
import { EPOCH } from "./world.ts";

/** Whether an answer is true, seen from everything that has happened. */
export function checkAnswer(simulation: Simulation, call: Call, answer: Answer): void {
  const { fail } = simulation;
  const thrown = call.run?.error;
  const saw = answer.status === "threw" ? answer.error : undefined;
  // A call that has claimed nothing gets the answer that stands there, where there is one.
  const isReplay = call.vacant && answer.status === "replayed";
  if (thrown instanceof BusinessError && saw !== thrown && !isReplay)
    fail("I9", `call ${call.number}: its function threw ${thrown.message}, and its caller saw ${String(saw)}`);
  if (answer.status === "threw") checkRefusal(simulation, call, answer.error);
  else checkSuccess(simulation, call, answer);
}

/** The outcomes that a call may be answered with: its key's, at some moment while it was under way. */
function outcomes({ history, scenario, world }: Simulation, call: Call): readonly Completion[] {
  const slack = scenario.lockMargin;
  const { completions } = keyOf(history, call.id as string);
  return completions.filter(({ from, until }) => from <= world.now() && until + slack >= call.begunAt);
}

function checkSuccess(simulation: Simulation, call: Call, answer: Exclude<Answer, { readonly status: "threw" }>): void {
  const { history, fail } = simulation;
  const { mode } = call.identity.operation;
  const result = answer.result as Result;
  const told = `call ${call.number} was answered with ${JSON.stringify(result)?.slice(0, 100)}`;
  if (result?.of !== ofCall(call)) return fail("I6", `${told}, and is of ${ofCall(call)}`);
  if (answer.status === "executed" && result.run !== call.run?.number) fail("I2", `${told}, which is not its own`);
  const row = `${result.run}/${mode === "commit" ? result["part"] : "whole"}`;
  const wrote = mode === "atomic" || mode === "at commit" || (mode === "commit" && result["part"] !== undefined);
  if (answer.kept && wrote && !history.rows.has(row)) return fail("I1", `${told}, which was never committed`);
  if (!answer.kept || (answer.status === "executed" && call.unsaved && !wrote)) return;
  const text = JSON.stringify(result);
  const held = outcomes(simulation, call).some(
    ({ status, value }) => status === "COMPLETED" && JSON.stringify(value) === text,
  );
  if (!held) fail("I2", `${told}, which its record did not hold`);
}

function checkRefusal(simulation: Simulation, call: Call, error: unknown): void {
  const { history, fail, world, scenario } = simulation;
  const { operation } = call.identity;
  const lie = (why: string): void => fail("I12", `call ${call.number} was told ${String(error)}, but ${why}`);

  if (error instanceof IdempotencyRememberedError) {
    const isKept = ({ status, value }: Completion): boolean =>
      status === "FAILED" && (value as { readonly message?: unknown }).message === error.message;
    if (!outcomes(simulation, call).some(isKept)) fail("I9", `call ${call.number} saw an error that no record held`);
    return;
  }
  if (error === call.run?.error) return;
  if (!isIdempotencyError(error)) return lie("nothing of its own threw that");

  switch (error.code) {
    case "in_progress":
      if (call.locksMet === 0 && call.busyMet === 0 && call.conflicts < 3) lie("no other call held the key");
      return;
    case "duplicate":
      if (operation.whenCompleted === "replay" || outcomes(simulation, call).length === 0)
        lie("it met no completed call");
      return;
    case "key_reused": {
      const others = [...history.owners].filter(([owner]) => call.met.has(`fingerprint of ${owner}`));
      if (!operation.cached && !others.some(([, other]) => other.fingerprint !== call.fingerprint))
        lie("it met no other fingerprint");
      return;
    }
    case "claim_lost":
      if (call.run === undefined || !mayBeLost(simulation, call, call.run.owner)) lie("nobody has taken its key");
      return;
    case "abandoned":
      if (operation.whenAbandoned !== "reject" || !call.met.has("lapsed")) lie("it met no abandoned call");
      return;
    case "store_failed":
      if (call.faults === 0 && error.reason !== "timeout") lie("no request of its had failed");
      return;
    case "write_conflict":
      if (!call.plan.guarded) lie("it had no condition");
      return;
    case "result_unstorable": {
      const isKept = outcomes(simulation, call).some(({ value }) => value === "unstorable");
      if (call.plan.ends !== "unstorable" && !isKept) lie("no result was unstorable");
      return;
    }
    case "no_time_left":
      return;
    case "token_invalid":
      if (operation.tokens === undefined) lie("it has no token");
      else if (world.now() + scenario.lockMargin < EPOCH + operation.tokens && isUnused(simulation, call))
        lie("its token has not ended");
      return;
    default:
      lie("nothing was wrong");
  }
}

/** Another one has its record, or the record has come to its end. */
function mayBeLost({ history, world, scenario }: Simulation, { vacant, id }: Call, owner: string): boolean {
  const own = keyOf(history, id as string).completions.find((completion) => completion.owner === owner);
  return vacant || history.lost.has(owner) || (own !== undefined && own.until <= world.now() + scenario.lockMargin);
}

/** Nothing has become of the call's token that could have been forgotten since. */
function isUnused({ history }: Simulation, call: Call): boolean {
  const { completions, runs } = keyOf(history, call.id as string);
  return completions.length === 0 && runs.length === 0;
}

/** What can be said of the whole only when it is over. */
export function checkEnd(simulation: Simulation): void {
  const { history, scenario, fail } = simulation;
  for (const call of history.calls) {
    const { run, answer, number } = call;
    if (run === undefined) continue;
    const error = answer?.status === "threw" ? answer.error : undefined;
    const isUnknown = isIdempotencyError(error) && error.code === "store_failed" && error.outcome === "unknown";
    if ((run.unknown || isUnknown) && history.released.has(run.owner))
      fail("I11", `run ${number} had an unknown outcome, and its key was given back`);

    for (const [row] of [...history.rows].filter(([row]) => Number.parseInt(row, 10) === number)) {
      const end = run.commits.get(row);
      if (answer === undefined || isUnknown || end === "committed" || end === "unknown") continue;
      const { completions } = keyOf(history, run.id);
      // Where the commit is the claim, a copy of it that comes after the window in which it was answered begins another.
      const endOf = history.rows.get(row)?.at as number;
      const isOfAnotherWindow = completions.some(
        ({ owner, from, until }) =>
          owner !== run.owner && from <= (call.endedAt as number) && until <= endOf + scenario.lockMargin,
      );
      if (call.vacant && isOfAnotherWindow) continue;
      // Its own window is over: what is answered is of another one.
      const own = completions.find(({ owner }) => owner === run.owner);
      if (own !== undefined && own.until <= (call.endedAt as number) + scenario.lockMargin) continue;
      const result = answer.status === "threw" ? undefined : (answer.result as Result);
      if (end === undefined && result?.run === number) continue;
      const told = end ?? (answer.status === "threw" ? String(error) : `run ${result?.run}`);
      fail("I1", `the row ${row} was committed, and call ${number} was told: ${told}`);
    }
  }
}
