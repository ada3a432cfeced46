import { factsOf } from "./answer.ts";
import { within } from "./bounded.ts";
import { type CommitEnd, writeConflict } from "./commit.ts";
import type { CommitPlan } from "./commit-plan.ts";
import { answerIn, conclude, inProgress } from "./conclude.ts";
import { decide } from "./decide.ts";
import { type Engine, tell } from "./engine.ts";
import { IdempotencyResultError, isIdempotencyError, tooLarge } from "./errors.ts";
import type { Lease } from "./lease.ts";
import { encode, persist } from "./persist.ts";
import type { Encoded, Found, InProgressRecord } from "./record.ts";
import { type Answer, afterLoss, completionOf } from "./settle.ts";
import type { ClaimedFrom, CommitRecord } from "./store.ts";
import { nowOf } from "./time.ts";
import { type Writing, writingOf } from "./writing.ts";

/** A call that is to commit. */
export interface Committing {
  readonly engine: Engine;
  /** Changes where the commit of a call that claimed nothing succeeds a record. */
  record: InProgressRecord;
  readonly lease: Lease;
  readonly writing: Writing;
  /** Nothing was claimed: the commit is the claim. */
  vacant: boolean;
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
  encoding: Promise<Encoded>,
): Promise<Answer> {
  const { engine, writing } = committing;
  const { id } = committing.record;
  let end: CommitEnd;
  try {
    const plan = writing.plan();
    const encoded = await encoding;
    end = await sendCommit(committing, encoded, plan);
    if (end.status === "refused") throw writeConflict(plan, end.facts);
    if (end.status === "too_large") throw tooLarge(end);
    if (end.status === "committed") {
      const { attempt } = committing.record;
      tell(engine, id, { type: "completed", attempt, bytes: encoded.data?.length ?? 0 });
      return { status: "executed", attempt, result, kept: true };
    }
  } catch (thrown) {
    const error = notCarriedOut(thrown);
    await settleFailure(committing, error);
    throw error;
  }
  return answerOfWinner(committing, end.found);
}

/** A result that could not be stored: with writes, nothing was committed. */
export function notCarriedOut(error: unknown): unknown {
  if (!(error instanceof IdempotencyResultError)) return error;
  return new IdempotencyResultError({ path: error.path, detail: error.detail, carriedOut: false });
}

/** Stores the error that the function threw, where nothing was claimed. Its writes are not carried out. Never throws. */
export async function commitError(committing: Committing, error: unknown): Promise<Answer | undefined> {
  const { engine, record, lease } = committing;
  const { id, attempt } = record;
  try {
    const encoded = await encode(engine, id, lease, factsOf(error));
    const nothing = writingOf(engine, lease, engine.runtime.uniqueId());
    const end = await sendCommit(committing, encoded, nothing.plan(), { status: "FAILED", writing: nothing });
    tell(engine, id, { type: end.status === "committed" ? "error_kept" : "claim_lost", attempt });
    if (end.status !== "lost" || !committing.vacant) return undefined;
    const answer = await answerIn(engine, record, end.found, nowOf(engine.store.clock));
    return answer?.status === "replayed" ? answer : undefined;
  } catch (failure) {
    await settleFailure(committing, failure);
    return undefined;
  }
}

/** How often a key may change hands between a look and the commit, where nothing was claimed. */
const MOST_ROUNDS = 3;

/**
 * Sends the commit of a result. Where nothing was claimed and a record stands there that may be succeeded (an operation
 * that claims at its start has left it), it is claimed first.
 */
export async function sendCommit(
  committing: Committing,
  result: Encoded,
  plan: CommitPlan,
  {
    status = "COMPLETED",
    writing = committing.writing,
  }: { readonly status?: "COMPLETED" | "FAILED"; readonly writing?: Writing } = {},
): Promise<CommitEnd> {
  const { engine, record } = committing;
  for (let round = 1; ; round++) {
    const end = await writing.send(recordOf(committing, result, status), plan);
    if (end.status !== "lost" || !committing.vacant || round === MOST_ROUNDS) return end;
    const decision = decide(end.found, record.fingerprint, nowOf(engine.store.clock), engine.policies);
    if (decision.do === "succeed") await succeed(committing, decision.from);
    else if (decision.do !== "create") return end;
  }
}

/**
 * The answer of the call that came first.
 *
 * @throws what that call or the record refuses this one with
 */
export async function answerOfWinner({ engine, record, vacant }: Committing, found: Found): Promise<Answer> {
  if (!vacant) return afterLoss(engine, record, found);
  const decision = decide(found, record.fingerprint, nowOf(engine.store.clock), engine.policies);
  if (decision.do === "yield") throw inProgress(decision.lockEndsIn).error;
  if (decision.do === "create" || decision.do === "succeed") throw inProgress(0).error;
  const concluded = await conclude(engine, record.id, decision);
  if (concluded.status === "replayed") return concluded;
  throw concluded.error;
}

/** How long the caller of a function that threw waits for that look, in milliseconds: its error is worth more. */
const SHORT_LOOK = 1_000;

/**
 * Nothing of this call is to be remembered: where it has claimed nothing, the result that another call has committed
 * meanwhile; `undefined` where there is none to be had soon. Never throws.
 */
export async function answerOfAnother({ engine, record, lease, vacant }: Committing): Promise<Answer | undefined> {
  if (!vacant) return undefined;
  const { store, runtime } = engine;
  try {
    const patience = Math.min(SHORT_LOOK, lease.patience());
    const found = await within(runtime, patience, () => store.read(record.id, { consistent: true }));
    const answer = await answerIn(engine, record, found, nowOf(store.clock));
    return answer?.status === "replayed" ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** Claims what an operation that claims at its start has left, where no other call was faster. */
async function succeed(committing: Committing, from: ClaimedFrom): Promise<void> {
  const { engine, record, lease } = committing;
  const { id, owner, fingerprint } = record;
  const now = nowOf(engine.store.clock);
  // The lock ends when that of a claim at the start would have ended.
  const claim = { id, owner, now, fingerprint, ...lease.times(now, lease.elapsed()), from };
  const answer = await persist(engine, lease, () => engine.store.claim(claim));
  const claimed = answer.outcome === "claimed" ? answer.record : answer.found;
  if (claimed?.status !== "IN_PROGRESS" || claimed.owner !== owner) return;
  committing.record = claimed;
  committing.vacant = false;
}

/** The record of a completion, as a commit writes it. */
function recordOf(
  { engine, record, vacant }: Pick<Committing, "engine" | "record" | "vacant">,
  result: Encoded,
  status: "COMPLETED" | "FAILED",
): CommitRecord {
  const completion = completionOf(engine, record, status, result);
  if (!vacant) return { from: "claim", ...completion };
  return { from: "nothing", ...completion, now: completion.completedAt, fingerprint: record.fingerprint };
}

/** What becomes of the key where the commit did not come about. */
async function settleFailure(committing: Committing, error: unknown): Promise<void> {
  const { engine, record } = committing;
  const { id, attempt } = record;
  if (isIdempotencyError(error) && error.code === "store_failed" && error.outcome === "unknown") {
    tell(engine, id, { type: "held", attempt, reason: "nobody knows whether the commit was carried out", error });
    return;
  }
  tell(engine, id, { type: "save_failed", attempt, error });
  await committing.release();
}
