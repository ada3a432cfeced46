import { show } from "./duration.ts";
import { type Engine, type Outcome, tell } from "./engine.ts";
import { IdempotencyClaimLostError, IdempotencyConfigError, isIdempotencyError, tooLarge } from "./errors.ts";
import { deadlineOf, type Lease } from "./lease.ts";
import { encode } from "./persist.ts";
import { type Encoded, type Found, type InProgressRecord, isFinished } from "./record.ts";
import { keepRenewed } from "./renewal.ts";
import { type Answer, keepError, release, saveResult, winnerOf } from "./settle.ts";
import {
  answerOfAnother,
  answerOfWinner,
  type Committing,
  commitError,
  commitResult,
  notCarriedOut,
  sendCommit,
} from "./settle-commit.ts";
import { checkName, type StepContext, type StepOptions, stepsOf } from "./steps.ts";
import { outcomeIsUnknown } from "./unknown.ts";
import type { Commit, Writable } from "./write.ts";
import { answerOf, writingOf } from "./writing.ts";

/**
 * The right to execute, and the only thing that can write the record. It ends once: by `returned`,
 * `threw`, `hold` or a `commit`, whichever comes first; the others do nothing then.
 */
export interface Claim {
  readonly id: string;
  /** 1, or more where earlier attempts ended without a known outcome. */
  readonly attempt: number;
  /** Aborts at the deadline, and at once where the claim is lost: from then on the outcome counts as unknown. */
  signal(): AbortSignal;
  /** Milliseconds to the deadline, which lies a margin before the lock's and the caller's end; 0 after it. */
  remainingTimeInMillis(): number;
  /** Whether the deadline of an answer without writes has passed. */
  overdue(): boolean;
  /** Whether another call has taken over: what this one returns is not the operation's answer. */
  lost(): boolean;
  /** Whether an answer is only true once it is committed: writes were collected, or are under way. */
  mustCommit(): boolean;
  /** Whether the claim has ended. */
  ended(): boolean;
  /** Runs a step once over all attempts and records its result. */
  step(name: string, fn: (about: StepContext) => unknown, options?: StepOptions): Promise<unknown>;
  /** The key under which others are asked to do `name`: a UUID, the same in every attempt. */
  keyFor(name: string): string;
  /** Collects writes, to be committed with the result. */
  write(writes: readonly Writable[]): void;
  /** Commits writes and a result now; where it does, the claim has ended. */
  commit(
    writes: readonly Writable[],
    result: unknown,
    reduce?: (result: unknown) => unknown,
  ): Promise<Commit<readonly Writable[]>>;
  /**
   * The function returned: stores the result, with the writes, and answers with it, or with the winner's where the claim
   * was lost. The result is encoded before the first await. `reduce` says what of it is stored.
   *
   * @throws IdempotencyResultError where the result cannot be stored; without writes the same as for every later call
   * @throws IdempotencyClaimLostError where another call has taken over and has no result yet
   * @throws IdempotencyWriteConflictError, IdempotencyStoreError where writes were not committed, or nobody knows
   */
  returned(result: unknown, reduce?: (result: unknown) => unknown): Promise<Answer>;
  /**
   * The function threw: releases, keeps or holds. Answers where the claim was lost to a call that has an answer;
   * else the caller sees the function's error.
   */
  threw(error: unknown): Promise<Answer | undefined>;
  /** The outcome is unknown: nothing is written, the lock lapses by itself. */
  hold(reason: string): void;
  /** The function has not run: gives the key back. Never throws. */
  cancel(): Promise<void>;
}

/** How long a caller waits for steps that its function has left at work, in milliseconds. */
const SHORT = 1_000;

/** The error of what came too late. */
export const hasEnded = (what: string): IdempotencyConfigError =>
  new IdempotencyConfigError(
    `${what} was called after the claim had ended; allowed is while the function runs, before its commit`,
  );

/** The claim over a record that this process has just written; `vacant`: that its commit is to write. */
export function holdClaim(engine: Engine, record: InProgressRecord, lease: Lease, vacant = false): Claim {
  const { id, attempt } = record;
  const deadline = deadlineOf(lease, engine.runtime);
  const writing = writingOf(engine, lease, record.owner);
  let ended = false;
  /** The function is over, and its claim waits for what it has left at work. */
  let over = false;
  /** What the function has left at work has ended, and nothing of it is unknown: its key is not free before. */
  let atRest = true;
  let lost = false;
  let committed: { readonly result: unknown } | undefined;
  let committing: Promise<unknown> | undefined;
  /** A commit that was lost, or of which nobody knows: the function's result must not be returned. */
  let failure: { readonly error: unknown } | undefined;
  /** The answer that a commit without a claim has met. */
  let winner: Answer | undefined;

  const stopRenewing = lease.renews && !vacant ? keepRenewed(engine, record, lease, loseTo) : undefined;
  const steps = stepsOf({ engine, record, lease, signal: deadline.signal, assertLive, uncommitted, lost: loseTo });
  const commitment: Committing = { engine, record, lease, writing, vacant, release: giveBack };
  if (vacant) lease.reserve();

  async function giveBack(): Promise<void> {
    if (commitment.vacant) return;
    if (atRest) await release(engine, commitment.record, lease, steps);
    else held("a step's outcome is unknown");
  }

  /** What a commit is to hold. */
  function encodingOf(result: unknown, reduce: (result: unknown) => unknown = (whole) => whole): Promise<Encoded> {
    const encoding = (async () => encode(engine, id, lease, reduce(result)))();
    encoding.catch(() => {}); // Whoever commits it hears of it.
    return encoding;
  }

  async function uncommitted(): Promise<void> {
    if (committing !== undefined) await committing;
  }

  function end(): boolean {
    if (ended) return false;
    ended = true;
    deadline.cancel();
    stopRenewing?.();
    return true;
  }

  function loseTo(found: Found): void {
    // A record that is finished, and mine, is that of a commit whose answer is still on its way.
    if (!(isFinished(found) && found.owner === record.owner)) lose();
  }

  function lose(): void {
    if (lost || ended) return;
    lost = true;
    stopRenewing?.();
    tell(engine, id, { type: "claim_lost", attempt });
    deadline.abort(new IdempotencyClaimLostError());
  }

  function assertLive(what: string): void {
    if (lost) throw new IdempotencyClaimLostError();
    if (ended || committing !== undefined) throw hasEnded(what);
  }

  function assertRunning(what: string): void {
    assertLive(what);
    if (over) throw hasEnded(what);
  }

  function held(reason: string, error?: unknown): void {
    tell(engine, id, { type: "held", attempt, reason, error });
  }

  function judge(outcome: Outcome): ReturnType<Engine["remember"]> {
    try {
      const verdict: unknown = engine.remember(outcome, { attempt, steps: steps.recorded() });
      if (verdict === "keep" || verdict === "release" || verdict === "hold") return verdict;
      if (verdict instanceof Promise) verdict.catch(() => {});
      held("`remember` answered none of 'keep', 'release' and 'hold'");
    } catch (error) {
      held("`remember` threw", error);
    }
    return "hold";
  }

  async function commitNow(
    writes: readonly Writable[],
    result: unknown,
    reduce: (result: unknown) => unknown,
  ): Promise<Commit<readonly Writable[]>> {
    const first = writing.size();
    const plan = writing.plan(writes);
    lease.reserve();
    deadline.changed();
    const encoded = await encode(engine, id, lease, reduce(result));
    const ending = await sendCommit(commitment, encoded, plan);
    switch (ending.status) {
      case "committed":
        committed = { result };
        end();
        tell(engine, id, { type: "completed", attempt, bytes: encoded.data?.length ?? 0 });
        break;
      case "lost":
        lose();
        if (commitment.vacant) winner = await answerOfWinner(commitment, ending.found);
        throw new IdempotencyClaimLostError();
      case "too_large":
        throw tooLarge(ending);
      case "refused":
    }
    return answerOf(ending, plan, first);
  }

  return {
    id,
    attempt,
    signal: deadline.signal,
    remainingTimeInMillis: deadline.remaining,
    overdue: () => lost || lease.overdue(),
    lost: () => lost,
    mustCommit: () => committing !== undefined || writing.size() > 0,
    ended: () => ended,
    async step(name, fn, options) {
      if (vacant) {
        throw new IdempotencyConfigError(
          "a step has no record under claimAt: 'commit'; allowed are steps under claimAt: 'start'",
        );
      }
      assertRunning(`step(${show(name)})`);
      return await steps.run(name, fn, options);
    },
    keyFor(name) {
      checkName(name, "what a key is for");
      return engine.runtime.stableId(id, name);
    },
    write(writes) {
      assertRunning("write()");
      writing.collect(writes);
      lease.reserve();
      deadline.changed();
    },
    async commit(writes, result, reduce = (whole) => whole) {
      assertRunning("commit()");
      const running = commitNow(writes, result, reduce);
      committing = running.catch(() => undefined);
      try {
        return await running;
      } catch (error) {
        const isLost = lost || (isIdempotencyError(error) && error.code === "claim_lost");
        // Also of a claim that was held meanwhile: what came of its commit is not "nothing".
        if (isLost || outcomeIsUnknown(error)) failure = { error };
        // Nobody knows whether it was carried out: nothing else may be written under this claim.
        if (outcomeIsUnknown(error) && end()) {
          held("a commit's outcome is unknown", error);
        }
        throw notCarriedOut(error);
      } finally {
        committing = undefined;
      }
    },
    async returned(result, reduce) {
      // Without a pause: the result is encoded before its owner can change it.
      if (committing !== undefined) await committing;
      if (committed !== undefined) {
        return { status: "executed", attempt: commitment.record.attempt, result: committed.result, kept: true };
      }
      if (failure !== undefined) {
        if (end() && !commitment.vacant) winner = await winnerOf(engine, record, lease);
        if (winner !== undefined) return winner;
        throw failure.error;
      }
      const executed: Answer = { status: "executed", attempt, result, kept: false };
      if (ended) return executed;
      const verdict = judge({ status: "returned", result });
      over = true;
      const commits = verdict === "keep" && (commitment.vacant || writing.size() > 0);
      // Before anything is waited for, and its owner could change it.
      const encoding = commits ? encodingOf(result, reduce) : undefined;
      if ((commits || verdict !== "keep") && !steps.atRest()) atRest = await steps.settled(SHORT);
      const overdue = deadline.remaining() === 0;
      if (!end()) {
        // Held meanwhile: nothing is committed any more.
        if (commits) throw hasEnded("a commit");
        return executed;
      }
      if (verdict === "keep") {
        if (encoding !== undefined) return await commitResult(commitment, result, encoding);
        return await saveResult(engine, record, lease, result, reduce);
      }
      if (verdict === "hold" || overdue || !atRest) {
        const why = overdue
          ? "came after its deadline"
          : atRest
            ? "is not to be remembered yet"
            : "came before a step's end";
        held(`the result ${why}`);
        return executed;
      }
      const elsewhere = await answerOfAnother(commitment);
      if (elsewhere !== undefined) return elsewhere;
      await giveBack();
      return executed;
    },
    async threw(error) {
      await uncommitted();
      if (ended) return undefined;
      over = true;
      atRest = await steps.settled();
      const overdue = deadline.remaining() === 0;
      if (!end()) return undefined;
      if (lost && isIdempotencyError(error) && error.code === "claim_lost") {
        return commitment.vacant ? winner : winnerOf(engine, record, lease);
      }
      if (overdue || !atRest || outcomeIsUnknown(error)) {
        const reason = overdue ? "the function failed after its deadline" : "the function's outcome is unknown";
        held(reason, error);
        return undefined;
      }
      const verdict = isIdempotencyError(error) ? "release" : judge({ status: "threw", error });
      const elsewhere = verdict === "keep" ? undefined : await answerOfAnother(commitment);
      if (elsewhere !== undefined) return elsewhere;
      if (verdict === "release") await giveBack();
      else if (verdict === "hold") held("the error is not to be remembered yet", error);
      else if (commitment.vacant) return commitError(commitment, error);
      else await keepError(engine, record, lease, error);
      return undefined;
    },
    async cancel() {
      if (end()) await giveBack();
    },
    hold(reason) {
      if (end()) held(reason);
    },
  };
}
