import { type Engine, type Outcome, tell } from "./engine.ts";
import { isIdempotencyError } from "./errors.ts";
import { deadlineOf, type Lease } from "./lease.ts";
import type { InProgressRecord } from "./record.ts";
import { type Answer, keepError, release, saveResult } from "./settle.ts";
import { outcomeIsUnknown } from "./unknown.ts";

/**
 * The right to execute, and the only thing that can write the record. It ends once: by `returned`,
 * `threw` or `hold`, whichever comes first; the others do nothing then.
 */
export interface Claim {
  readonly id: string;
  /** 1, or more where earlier attempts ended without a known outcome. */
  readonly attempt: number;
  /** Aborts at the deadline: from then on the outcome counts as unknown. */
  readonly signal: AbortSignal;
  /** Milliseconds to the deadline, which lies a margin before the lock's and the caller's end; 0 after it. */
  remainingTimeInMillis(): number;
  /** Whether the claim has ended. */
  ended(): boolean;
  /**
   * The function returned: stores the result and answers with it, or with the winner's where the claim
   * was lost. The result is encoded before the first await. `reduce` says what of it is stored.
   *
   * @throws IdempotencyResultError where the result cannot be stored, the same as for every later call
   * @throws IdempotencyClaimLostError where another call has taken over and has no result yet
   */
  returned(result: unknown, reduce?: (result: unknown) => unknown): Promise<Answer>;
  /** The function threw: releases, keeps or holds. Never throws, so that the caller sees the function's error. */
  threw(error: unknown): Promise<void>;
  /** The outcome is unknown: nothing is written, the lock lapses by itself. */
  hold(reason: string): void;
  /** The function has not run: gives the key back. Never throws. */
  cancel(): Promise<void>;
}

/** The claim over a record that this process has just written. */
export function holdClaim(engine: Engine, record: InProgressRecord, lease: Lease): Claim {
  const { id, attempt } = record;
  const about = { attempt, steps: Object.keys(record.steps) };
  const deadline = deadlineOf(lease, engine.runtime);
  let ended = false;

  function end(): boolean {
    if (ended) return false;
    ended = true;
    deadline.cancel();
    return true;
  }

  function judge(outcome: Outcome): ReturnType<Engine["remember"]> {
    try {
      const verdict: unknown = engine.remember(outcome, about);
      if (verdict === "keep" || verdict === "release" || verdict === "hold") return verdict;
      if (verdict instanceof Promise) verdict.catch(() => {});
      tell(engine, id, { type: "held", attempt, reason: "`remember` answered none of 'keep', 'release' and 'hold'" });
    } catch (error) {
      tell(engine, id, { type: "held", attempt, reason: "`remember` threw", error });
    }
    return "hold";
  }

  return {
    id,
    attempt,
    get signal() {
      return deadline.signal();
    },
    remainingTimeInMillis: deadline.remaining,
    ended: () => ended,
    async returned(result, reduce) {
      const executed: Answer = { status: "executed", attempt, result, kept: false };
      if (!end()) return executed;
      switch (judge({ status: "returned", result })) {
        case "keep":
          return saveResult(engine, record, lease, result, reduce);
        case "release":
          await release(engine, record, lease);
          return executed;
        case "hold":
          tell(engine, id, { type: "held", attempt, reason: "the result is not to be remembered yet" });
          return executed;
      }
    },
    async threw(error) {
      const overdue = deadline.remaining() === 0;
      if (!end()) return;
      if (overdue || outcomeIsUnknown(error)) {
        const reason = overdue ? "the function failed after its deadline" : "the function's outcome is unknown";
        tell(engine, id, { type: "held", attempt, reason, error });
        return;
      }
      const verdict = isIdempotencyError(error) ? "release" : judge({ status: "threw", error });
      if (verdict === "release") await release(engine, record, lease);
      else if (verdict === "keep") await keepError(engine, record, lease, error);
      else tell(engine, id, { type: "held", attempt, reason: "the error is not to be remembered yet", error });
    },
    async cancel() {
      if (end()) await release(engine, record, lease);
    },
    hold(reason) {
      if (end()) tell(engine, id, { type: "held", attempt, reason });
    },
  };
}
