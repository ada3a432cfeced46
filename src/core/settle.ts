import { encodeUnstorable, factsOf, storedAnswer } from "./answer.ts";
import { backoff, type Engine, tell } from "./engine.ts";
import { IdempotencyClaimLostError, IdempotencyResultError, IdempotencyStoreError } from "./errors.ts";
import type { Lease } from "./lease.ts";
import type { Encoded, Found, InProgressRecord } from "./record.ts";
import type { CompleteAnswer, CompleteRequest, ReleaseAnswer } from "./store.ts";
import { after, ceilSeconds, nowOf } from "./time.ts";

/** What the caller of a claimed function gets. `'replayed'`: another execution's answer won. */
export interface Answer {
  readonly status: "executed" | "replayed";
  readonly attempt: number;
  readonly result: unknown;
}

/** How often a save or a release is tried while the time lasts; below it, the transport retries as well. */
const MOST_TRIES = 4;

/**
 * Stores the result of a function that has run. The effect is done: a save that fails costs the record,
 * never the result, and the key stays held.
 */
export async function saveResult(
  engine: Engine,
  record: InProgressRecord,
  lease: Lease,
  result: unknown,
): Promise<Answer> {
  const { id, attempt } = record;
  const executed: Answer = { status: "executed", attempt, result };
  let encoded: Encoded;
  let written: CompleteAnswer;
  try {
    encoded = await engine.codec.encode(result, { id });
    written = await write(engine, record, lease, "COMPLETED", encoded);
  } catch (error) {
    if (error instanceof IdempotencyResultError) return markUnstorable(engine, record, lease, error);
    tell(engine, id, { type: "save_failed", attempt, error });
    return executed;
  }
  if (written.outcome === "too_large") {
    const detail = `${written.bytes} bytes where a record holds at most ${written.limit}`;
    return markUnstorable(engine, record, lease, new IdempotencyResultError({ path: "$", detail }));
  }
  if (written.outcome === "conflict" && !isOwnWrite(written.found, record, "COMPLETED")) {
    return afterLoss(engine, record, written.found);
  }
  tell(engine, id, { type: "completed", attempt, bytes: encoded.data?.length ?? 0 });
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
    const encoded = await engine.codec.encode(factsOf(error), { id });
    if (await writeFailure(engine, record, lease, encoded)) tell(engine, id, { type: "error_kept", attempt });
  } catch (failure) {
    tell(engine, id, { type: "save_failed", attempt, error: failure });
  }
}

/** Gives the key back, where it is still ours to give. Never throws. */
export async function release(engine: Engine, { id, owner, attempt }: InProgressRecord, lease: Lease): Promise<void> {
  try {
    const answer = await persist(engine, lease, () => engine.store.release({ id, owner }));
    // Nothing there: an earlier delete of ours whose response was lost. Anything else is not ours any more.
    const released = answer.outcome === "released" || (answer.outcome === "conflict" && answer.found === undefined);
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
    const answer = await write(engine, record, lease, "FAILED", encoded);
    if (answer.outcome === "written") return true;
    if (answer.outcome === "conflict" && isOwnWrite(answer.found, record, "FAILED")) return true;
    tell(engine, id, { type: "claim_lost", attempt });
  } catch (error) {
    tell(engine, id, { type: "save_failed", attempt, error });
  }
  return false;
}

function write(
  engine: Engine,
  { id, owner }: InProgressRecord,
  lease: Lease,
  status: CompleteRequest["status"],
  result: Encoded,
): Promise<Exclude<CompleteAnswer, { outcome: "busy" }>> {
  return persist(engine, lease, () => {
    const completedAt = nowOf(engine.store.clock);
    const expiresAt = ceilSeconds(after(completedAt, engine.retention));
    return engine.store.complete({ id, owner, status, result, completedAt, expiresAt });
  });
}

/** A condition that failed against my own write: its response was lost, and it counts. */
function isOwnWrite(found: Found, record: InProgressRecord, status: CompleteRequest["status"]): boolean {
  return found?.status === status && found.owner === record.owner;
}

/** The lock lapsed and another call took over: its answer is the operation's answer, where there is one. */
async function afterLoss(engine: Engine, record: InProgressRecord, found: Found): Promise<Answer> {
  tell(engine, record.id, { type: "claim_lost", attempt: record.attempt });
  if ((found?.status === "COMPLETED" || found?.status === "FAILED") && found.fingerprint === record.fingerprint) {
    const winner = await storedAnswer(engine, found);
    if (winner.status === "replayed") return winner;
    throw winner.error;
  }
  throw new IdempotencyClaimLostError({ retryAfter: 1 });
}

/** Writes, and tries again while the record is busy or the store fails for a moment, as long as the caller has time. */
async function persist<A extends CompleteAnswer | ReleaseAnswer>(
  engine: Engine,
  lease: Lease,
  attempt: () => Promise<A>,
): Promise<Exclude<A, { outcome: "busy" }>> {
  const end = lease.budget + engine.deadlineMargin;
  for (let round = 0; ; round++) {
    const last = round + 1 >= MOST_TRIES || lease.elapsed() >= end;
    try {
      const answer = await attempt();
      if (answer.outcome !== "busy") return answer as Exclude<A, { outcome: "busy" }>;
      if (last)
        throw new IdempotencyStoreError({ reason: "throttled", detail: "another transaction holds the record" });
    } catch (error) {
      if (last || !(error instanceof IdempotencyStoreError && error.retryable)) throw error;
    }
    await backoff(engine.runtime, round);
  }
}
