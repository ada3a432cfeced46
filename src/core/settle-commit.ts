import { factsOf } from "./answer.ts";
import { type CommitEnd, writeConflict } from "./commit.ts";
import type { CommitPlan } from "./commit-plan.ts";
import { conclude, inProgress } from "./conclude.ts";
import { decide } from "./decide.ts";
import { type Engine, tell } from "./engine.ts";
import { IdempotencyResultError, isIdempotencyError } from "./errors.ts";
import type { Lease } from "./lease.ts";
import { encode, persist } from "./persist.ts";
import type { Encoded, Found, InProgressRecord } from "./record.ts";
import { type Answer, afterLoss } from "./settle.ts";
import type { ClaimedFrom, CommitRecord } from "./store.ts";
import { after, ceilSeconds, nowOf } from "./time.ts";
import { type Writing, writingOf } from "./writing.ts";

/** A call that is to commit. */
export interface Committing {
  readonly engine: Engine;
  readonly record: InProgressRecord;
  readonly lease: Lease;
  readonly writing: Writing;
  /** Nothing was claimed: the commit is the claim. */
  readonly vacant: boolean;
  /** Nothing was committed: gives the key back. Never throws. */
  release(): Promise<void>;
}

/**
 * Commits the result with the writes, in one transaction. It is returned only where the commit is known.
 *
 * @throws IdempotencyWriteConflictError, IdempotencyResultError, IdempotencyConfigError: nothing was committed, and the
 * key was given back
 * @throws IdempotencyClaimLostError where another call has taken over and has no result yet
 * @throws IdempotencyStoreError with outcome `'unknown'` where nobody knows, and the key stays held
 */
export async function commitResult(
  committing: Committing,
  result: unknown,
  reduce: (result: unknown) => unknown = (whole) => whole,
): Promise<Answer> {
  const { engine, record, lease, writing } = committing;
  try {
    const plan = writing.plan();
    const encoded = await encode(engine, record.id, lease, reduce(result));
    const end = await writing.send(completionOf(committing, encoded), plan);
    return await answerTo(committing, end, plan, encoded, result, 1);
  } catch (error) {
    await settleFailure(committing, error);
    throw notCarriedOut(error);
  }
}

/** A result that could not be stored: with writes, nothing was committed. */
export function notCarriedOut(error: unknown): unknown {
  if (!(error instanceof IdempotencyResultError)) return error;
  return new IdempotencyResultError({ path: error.path, detail: error.detail, carriedOut: false });
}

/** Stores the error that the function threw, where nothing was claimed. Its writes are not carried out. Never throws. */
export async function commitError({ engine, record, lease, vacant }: Committing, error: unknown): Promise<void> {
  const { id, attempt } = record;
  try {
    const encoded = await encode(engine, id, lease, factsOf(error));
    const nothing = writingOf(engine, lease, record.owner);
    const end = await nothing.send(completionOf({ engine, record, vacant }, encoded, "FAILED"), nothing.plan());
    tell(engine, id, { type: end.status === "committed" ? "error_kept" : "claim_lost", attempt });
  } catch (failure) {
    tell(engine, id, { type: "save_failed", attempt, error: failure });
  }
}

/** How often a key may change hands between a look and the commit, where nothing was claimed. */
const MOST_ROUNDS = 3;

async function answerTo(
  committing: Committing,
  end: CommitEnd,
  plan: CommitPlan,
  encoded: Encoded,
  result: unknown,
  round: number,
): Promise<Answer> {
  const { engine, record, vacant } = committing;
  const { id, attempt } = record;
  switch (end.status) {
    case "committed":
      tell(engine, id, { type: "completed", attempt, bytes: encoded.data?.length ?? 0 });
      return { status: "executed", attempt, result, kept: true };
    case "refused":
      throw writeConflict(plan, end.facts);
    case "too_large":
      throw tooLarge(end);
    case "lost":
      if (!vacant) return afterLoss(engine, record, end.found);
      return meet(committing, end.found, encoded, result, round);
  }
}

/** A commit that was to be the claim has met a record: its answer is the operation's, or it is succeeded. */
async function meet(
  committing: Committing,
  found: Found,
  encoded: Encoded,
  result: unknown,
  round: number,
): Promise<Answer> {
  const { engine, record } = committing;
  const decision = decide(found, record.fingerprint, nowOf(engine.store.clock), engine.policies);
  if (decision.do === "yield" || round >= MOST_ROUNDS)
    throw inProgress(decision.do === "yield" ? decision.lockEndsIn : 0).error;
  if (decision.do !== "create" && decision.do !== "succeed") {
    const concluded = await conclude(engine, record.id, decision);
    if (concluded.status === "replayed") return concluded;
    throw concluded.error;
  }
  const next = decision.do === "create" ? committing : await succeed(committing, decision.from);
  if (next === undefined) throw inProgress(0).error;
  const { writing } = committing;
  const plan = writing.plan();
  return answerTo(next, await writing.send(completionOf(next, encoded), plan), plan, encoded, result, round + 1);
}

/** Claims what an operation that claims at its start has left. */
async function succeed(committing: Committing, from: ClaimedFrom): Promise<Committing | undefined> {
  const { engine, record, lease } = committing;
  const { id, owner, fingerprint } = record;
  const now = nowOf(engine.store.clock);
  const claim = { id, owner, now, fingerprint, ...lease.times(now), from };
  const answer = await persist(engine, lease, () => engine.store.claim(claim));
  if (answer.outcome === "claimed") return { ...committing, record: answer.record, vacant: false };
  const { found } = answer;
  const isMine = found?.status === "IN_PROGRESS" && found.owner === owner;
  return isMine ? { ...committing, record: found, vacant: false } : undefined;
}

/** The record of a completion, as a commit writes it. */
export function completionOf(
  { engine, record, vacant }: Pick<Committing, "engine" | "record" | "vacant">,
  result: Encoded,
  status: "COMPLETED" | "FAILED" = "COMPLETED",
): CommitRecord {
  const { id, owner, fingerprint } = record;
  const now = nowOf(engine.store.clock);
  const completion = {
    id,
    owner,
    status,
    result,
    completedAt: now,
    expiresAt: ceilSeconds(after(now, engine.retention)),
  };
  return vacant ? { from: "nothing", ...completion, now, fingerprint } : { from: "claim", ...completion };
}

/** The result that does not fit into the record. */
export function tooLarge({ bytes, limit }: { readonly bytes: number; readonly limit: number }): IdempotencyResultError {
  const detail = `${bytes} bytes where a record holds at most ${limit}`;
  return new IdempotencyResultError({ path: "$", detail, carriedOut: false });
}

/** What becomes of the key where the commit did not come about. */
async function settleFailure({ engine, record, release }: Committing, error: unknown): Promise<void> {
  const { id, attempt } = record;
  const code = isIdempotencyError(error) ? error.code : undefined;
  if (code === "claim_lost" || code === "in_progress") return;
  if (isIdempotencyError(error) && error.code === "store_failed" && error.outcome === "unknown") {
    tell(engine, id, { type: "held", attempt, reason: "nobody knows whether the commit was carried out", error });
    return;
  }
  tell(engine, id, { type: "save_failed", attempt, error });
  await release();
}
