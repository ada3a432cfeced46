import { encodeUnstorable, factsOf, storedAnswer } from "./answer.ts";
import { type Engine, tell } from "./engine.ts";
import { IdempotencyClaimLostError, IdempotencyResultError, isIdempotencyError, tooLarge } from "./errors.ts";
import type { Lease } from "./lease.ts";
import { encode, persist, readNow } from "./persist.ts";
import { type Encoded, type Found, type InProgressRecord, isAnswer, isFinished } from "./record.ts";
import { IdempotencyRememberedError } from "./remembered-error.ts";
import type { Steps } from "./steps.ts";
import type { CompleteAnswer, CompleteRequest } from "./store.ts";
import { after, ceilSeconds, nowOf } from "./time.ts";

/** What the caller of a claimed function gets. `'replayed'`: another execution's answer won. */
export type Answer =
  | {
      readonly status: "executed";
      readonly attempt: number;
      readonly result: unknown;
      /** Whether the result is the operation's outcome; `false`: by `remember` it is not, whatever became of the key. */
      readonly kept: boolean;
    }
  | { readonly status: "replayed"; readonly attempt: number; readonly result: unknown };

/**
 * Stores the result of a function that has run. The effect is done: a save that fails costs the record,
 * never the result, and the key stays held.
 */
export async function saveResult(
  engine: Engine,
  record: InProgressRecord,
  lease: Lease,
  result: unknown,
  reduce: (result: unknown) => unknown = (whole) => whole,
): Promise<Answer> {
  const { id, attempt } = record;
  const executed: Answer = { status: "executed", attempt, result, kept: true };
  let request: CompleteRequest;
  let written: Exclude<CompleteAnswer, { outcome: "busy" }>;
  try {
    request = completionOf(engine, record, "COMPLETED", await encode(engine, id, lease, reduce(result)));
    written = await persist(engine, lease, () => engine.store.complete(request));
  } catch (error) {
    if (isIdempotencyError(error) && error.code === "result_unstorable")
      return markUnstorable(engine, record, lease, error);
    tell(engine, id, { type: "save_failed", attempt, error });
    return executed;
  }
  if (written.outcome === "conflict" && written.found === undefined) {
    // Somebody removed the record: nobody has taken over, and the true result is all there is.
    tell(engine, id, { type: "claim_lost", attempt });
    return executed;
  }
  if (written.outcome === "too_large") return markUnstorable(engine, record, lease, tooLarge(written));
  // A condition that failed against this very write: its response was lost, and it counts.
  if (written.outcome === "conflict" && !isAnswer(written.found, request)) {
    return afterLoss(engine, record, written.found);
  }
  tell(engine, id, { type: "completed", attempt, bytes: request.result.data?.length ?? 0 });
  return executed;
}

/** The effect is done and its result cannot be stored: every later call gets the same error without running. */
async function markUnstorable(
  engine: Engine,
  record: InProgressRecord,
  lease: Lease,
  error: IdempotencyResultError,
): Promise<never> {
  const { id, attempt } = record;
  tell(engine, id, { type: "unstorable", attempt, error });
  await writeFailure(engine, record, lease, encodeUnstorable(error));
  throw error;
}

/** Stores the error that the function threw, to be thrown again for duplicates. Never throws. */
export async function keepError(engine: Engine, record: InProgressRecord, lease: Lease, error: unknown): Promise<void> {
  const { id, attempt } = record;
  try {
    const encoded = await encode(engine, id, lease, factsOf(error));
    if (await writeFailure(engine, record, lease, encoded)) tell(engine, id, { type: "error_kept", attempt });
  } catch (failure) {
    tell(engine, id, { type: "save_failed", attempt, error: failure });
  }
}

/**
 * Gives the key back, where it is still ours to give. What earlier attempts may have done is not forgotten: their
 * number and their steps stay for the next one. Never throws.
 */
export async function release(
  engine: Engine,
  record: InProgressRecord,
  lease: Lease,
  steps: Pick<Steps, "leaveTraces" | "failed">,
): Promise<void> {
  const { id, owner, attempt } = record;
  const keepUntil = attempt > 1 || steps.leaveTraces() ? lease.keepUntil(nowOf(engine.store.clock)) : undefined;
  const failed = steps.failed();
  const request = {
    id,
    owner,
    keepUntil,
    issuedUntil: lease.issuedUntil,
    ...(failed.length > 0 && { forget: failed }),
  };
  try {
    const answer = await persist(engine, lease, () => engine.store.release(request));
    // An earlier request of ours whose response was lost; anything else is not ours any more.
    const isOurs = (found: Found): boolean => found === undefined || isGivenBack(found, record);
    const released = answer.outcome === "released" || (answer.outcome === "conflict" && isOurs(answer.found));
    tell(engine, id, { type: released ? "released" : "claim_lost", attempt });
  } catch (error) {
    tell(engine, id, { type: "release_failed", attempt, error });
  }
}

/** Whether the record is now a failed one of ours. Never throws. */
async function writeFailure(
  engine: Engine,
  record: InProgressRecord,
  lease: Lease,
  encoded: Encoded,
): Promise<boolean> {
  const { id, attempt } = record;
  try {
    const request = completionOf(engine, record, "FAILED", encoded);
    const answer = await persist(engine, lease, () => engine.store.complete(request));
    if (answer.outcome === "written") return true;
    if (answer.outcome === "conflict" && isAnswer(answer.found, request)) return true;
    if (answer.outcome === "conflict") tell(engine, id, { type: "claim_lost", attempt });
    else tell(engine, id, { type: "save_failed", attempt, error: new Error(`${answer.bytes} bytes do not fit`) });
  } catch (error) {
    tell(engine, id, { type: "save_failed", attempt, error });
  }
  return false;
}

/** The request that ends a claim; its time is read once, so that it can be told from others of the same claim. */
export function completionOf(
  engine: Engine,
  { id, owner }: InProgressRecord,
  status: CompleteRequest["status"],
  result: Encoded,
): CompleteRequest {
  const completedAt = nowOf(engine.store.clock);
  return { id, owner, status, result, completedAt, expiresAt: ceilSeconds(after(completedAt, engine.retention)) };
}

/** A condition that failed against my own release: its response was lost, and it counts. */
const isGivenBack = (found: Found, { owner }: InProgressRecord): boolean =>
  (found?.status === "RELEASED" || found?.status === "ISSUED") && found.owner === owner;

/** A claim that was lost on the way: the answer of the call that took over, where it has one. */
export async function winnerOf(engine: Engine, record: InProgressRecord, lease: Lease): Promise<Answer | undefined> {
  try {
    return await afterLoss(engine, record, await readNow(engine, lease, record.id), true);
  } catch (error) {
    if (error instanceof IdempotencyRememberedError || error instanceof IdempotencyResultError) throw error;
    return undefined;
  }
}

/** The lock lapsed and another call took over: its answer is the operation's answer, where there is one. */
export async function afterLoss(
  engine: Engine,
  record: InProgressRecord,
  found: Found,
  wasTold = false,
): Promise<Answer> {
  if (!wasTold) tell(engine, record.id, { type: "claim_lost", attempt: record.attempt });
  if (isFinished(found) && found.fingerprint === record.fingerprint) {
    const winner = await storedAnswer(engine, found);
    if (winner.status === "replayed") return winner;
    throw winner.error;
  }
  throw new IdempotencyClaimLostError();
}
