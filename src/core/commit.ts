import { asStoreError, within } from "./bounded.ts";
import type { CommitPlan } from "./commit-plan.ts";
import type { Engine } from "./engine.ts";
import { IdempotencyStoreError, IdempotencyWriteConflictError, isIdempotencyError } from "./errors.ts";
import type { Lease } from "./lease.ts";
import { heldElsewhere, pause, readNow } from "./persist.ts";
import { type Found, isAnswer, isFinished } from "./record.ts";
import { mayHaveArrived } from "./sendings.ts";
import type { CommitAnswer, CommitRequest, IdempotencyStore } from "./store.ts";
import { floorSeconds, nowOf } from "./time.ts";
import type { PartFacts } from "./write.ts";

/** A try that the store's own client sent again. */
const unheardBelow = (): IdempotencyStoreError =>
  new IdempotencyStoreError({ reason: "timeout", detail: "no answer to an earlier try" });

/** How a commit ended, where it is known. */
export type CommitEnd =
  | { readonly status: "committed" }
  /** A write's own condition failed: nothing was written. */
  | { readonly status: "refused"; readonly facts: readonly PartFacts[] }
  /** Another call holds the record, has finished it, or somebody removed it: nothing was written. */
  | { readonly status: "lost"; readonly found: Found }
  | { readonly status: "too_large"; readonly bytes: number; readonly limit: number };

/** Two transactions that meet may take their time; below it, the transport retries as well. */
const MOST_TRIES = 8;

/**
 * Sends a commit until it is known how it ended, unchanged each time, inside the time left. What is not known then is
 * looked for in the record.
 *
 * @throws IdempotencyStoreError with outcome `'unknown'` where it may have been carried out, or be on its way still;
 * else nothing was written
 * @throws IdempotencyConfigError for writes that cannot be sent
 */
export async function carryOut(
  engine: Engine,
  commit: NonNullable<IdempotencyStore["commit"]>,
  lease: Lease,
  request: CommitRequest,
): Promise<CommitEnd> {
  const { runtime } = engine;
  /** The latest try that nobody heard of: it may be on its way still. */
  let unheard: IdempotencyStoreError | undefined;
  for (let round = 0; ; round++) {
    let answer: CommitAnswer | undefined;
    let failure = heldElsewhere();
    try {
      // Half of what is left: a request that hangs leaves the time to ask again, and to look.
      answer = await within(runtime, Math.ceil(lease.patience() / 2), () => commit(request));
    } catch (error) {
      if (isIdempotencyError(error) && error.code === "config") throw error;
      failure = asStoreError(error);
      if (mayHaveArrived(failure)) unheard = failure;
    }
    if (answer !== undefined && "resent" in answer && answer.resent) unheard = unheardBelow();
    if (answer !== undefined && answer.outcome !== "busy") {
      // It may find its conditions met when it arrives.
      if (unheard !== undefined && leavesOpen(engine, answer, request)) throw unknown(unheard);
      return endOf(answer, request);
    }
    const mayTryAgain = failure.retryable && round + 1 < MOST_TRIES && !isExpired(engine, request);
    if (mayTryAgain && (await pause(runtime, lease, Math.min(round, 4)))) continue;
    const end = await lookFor(engine, lease, request);
    if (end !== undefined) return end;
    throw unheard === undefined ? failure : unknown(failure);
  }
}

/** What would be written now has expired: it would answer nobody, and keep nobody out. Nor can it be looked for any more. */
const isExpired = ({ store }: Engine, { record }: CommitRequest): boolean =>
  record !== undefined && record.expiresAt <= floorSeconds(nowOf(store.clock));

/** Whether an earlier copy of the commit could still be carried out after this answer, or may have been. */
function leavesOpen(engine: Engine, answer: CommitAnswer, request: CommitRequest): boolean {
  const { record } = request;
  if (answer.outcome !== "conflict") return answer.outcome === "refused";
  if (isExpired(engine, request) && !isMine(answer.found, request)) return true;
  // A lock, or a record that was given back, may be gone when a commit that is the claim arrives; an answer stands.
  return record?.from === "nothing" && !isFinished(answer.found);
}

function endOf(answer: Exclude<CommitAnswer, { outcome: "busy" }>, request: CommitRequest): CommitEnd {
  switch (answer.outcome) {
    case "written":
      return { status: "committed" };
    case "conflict":
      return isMine(answer.found, request) ? { status: "committed" } : { status: "lost", found: answer.found };
    case "refused":
      return { status: "refused", facts: answer.facts };
    case "too_large":
      return { status: "too_large", bytes: answer.bytes, limit: answer.limit };
  }
}

/** The record that this commit writes, in place, and not that of an earlier one of the same claim: it counts, its response was lost. */
const isMine = (found: Found, { record }: CommitRequest): boolean => record !== undefined && isAnswer(found, record);

/** What the record says about a commit that was never answered; `undefined` where it says nothing yet. */
async function lookFor(engine: Engine, lease: Lease, request: CommitRequest): Promise<CommitEnd | undefined> {
  const { record } = request;
  if (record === undefined) return undefined;
  try {
    const found = await readNow(engine, lease, record.id);
    if (isMine(found, request)) return { status: "committed" };
    if (isExpired(engine, request)) return undefined;
    const isHeld = found?.status === "IN_PROGRESS" && found.owner === record.owner;
    const isLive = isFinished(found) && found.expiresAt > floorSeconds(nowOf(engine.store.clock));
    const isLost = record.from === "claim" ? !isHeld : isLive;
    return isLost ? { status: "lost", found } : undefined;
  } catch {
    return undefined;
  }
}

function unknown(cause: IdempotencyStoreError): IdempotencyStoreError {
  const { reason, action, table } = cause;
  return new IdempotencyStoreError({
    reason,
    detail: `nobody knows whether the commit was carried out (${reason})`,
    outcome: "unknown",
    cause,
    action,
    table,
  });
}

/** The error of the first write that was refused. */
export function writeConflict(plan: CommitPlan, facts: readonly PartFacts[]): IdempotencyWriteConflictError {
  const action = facts.findIndex(({ status }) => status === "refused");
  const fact = facts[action] as Extract<PartFacts, { status: "refused" }>;
  const index = plan.writeOf[action] as number;
  return new IdempotencyWriteConflictError({
    index,
    reason: fact.reason,
    item: fact.found,
    outcome: plan.outcomes(facts)[index],
  });
}
