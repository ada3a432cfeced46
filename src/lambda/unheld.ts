import { hasEnded } from "../core/claim.ts";
import { writeConflict } from "../core/commit.ts";
import type { Engine } from "../core/engine.ts";
import { deadlineOf, leaseFor } from "../core/lease.ts";
import { signalled } from "../core/signalled.ts";
import { checkName, readOptions } from "../core/steps.ts";
import { outcomeIsUnknown } from "../core/unknown.ts";
import { answerOf, writingOf } from "../core/writing.ts";
import type { CurrentClaim } from "./frames.ts";

/** A call that claims nothing: the function runs, and nothing of it is stored. */
export interface Unheld {
  readonly status: "unheld";
  readonly claim: CurrentClaim;
  /**
   * The function returned: its writes commit, alone.
   *
   * @throws IdempotencyWriteConflictError, IdempotencyStoreError where they did not, or nobody knows
   */
  returned(): Promise<void>;
  /** The function threw, or what came may not be its answer: nothing is written any more. */
  end(): void;
  /** Whether the deadline of an answer without writes has passed. */
  overdue(): boolean;
  /** Whether an answer is only true once it is committed: writes were collected, and no commit has carried them out. */
  mustCommit(): boolean;
}

/** A claim without a key: steps just run, writes commit alone, and keys are random. */
export function unheld(engine: Engine, remaining: number | undefined): Unheld {
  const lease = leaseFor(engine, remaining);
  const { runtime } = engine;
  const deadline = deadlineOf(lease, runtime);
  const writing = writingOf(engine, lease, runtime.uniqueId());
  let ended = false;
  let committed = false;
  let committing: Promise<unknown> | undefined;
  /** A commit of which nobody knows: the function's result must not be returned. */
  let failure: { readonly error: unknown } | undefined;

  function end(): void {
    ended = true;
    deadline.cancel();
  }

  function assertLive(what: string): void {
    if (!ended && committing === undefined) return;
    throw hasEnded(what);
  }

  const claim: CurrentClaim = Object.assign(signalled(deadline.signal), {
    id: undefined,
    held: false,
    attempt: 1,
    remainingTimeInMillis: deadline.remaining,
    async step(name, fn, options = {}) {
      readOptions(name, fn, options);
      return fn({ idempotencyKey: runtime.uniqueId(), attempt: 1, signal: deadline.signal() });
    },
    keyFor(name) {
      checkName(name, "what a key is for");
      return runtime.uniqueId();
    },
    write(...writes) {
      assertLive("write()");
      writing.collect(writes);
      lease.reserve();
      deadline.changed();
    },
    async commit(writes) {
      assertLive("commit()");
      const first = writing.size();
      const plan = writing.plan(writes);
      const sent = writing.send(undefined, plan);
      committing = sent.catch(() => undefined);
      try {
        const sending = await sent;
        // What was collected is written now; with a claim, too, a commit is the end.
        committed = sending.status === "committed";
        if (committed) end();
        return answerOf(sending, plan, first) as never;
      } catch (error) {
        if (outcomeIsUnknown(error)) {
          failure = { error };
          end();
        }
        throw error;
      } finally {
        committing = undefined;
      }
    },
  } satisfies Omit<CurrentClaim, "signal">);

  return {
    status: "unheld",
    claim,
    end,
    overdue: lease.overdue,
    mustCommit: () => writing.size() > 0 && !committed,
    async returned() {
      // One that the function did not await.
      await committing;
      if (failure !== undefined) throw failure.error;
      if (ended) return;
      end();
      if (writing.size() === 0) return;
      const plan = writing.plan();
      const sending = await writing.send(undefined, plan);
      if (sending.status === "refused") throw writeConflict(plan, sending.facts);
    },
  };
}
