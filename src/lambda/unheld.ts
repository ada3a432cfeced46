import { randomUUID } from "node:crypto";
import { writeConflict } from "../core/commit.ts";
import type { Engine } from "../core/engine.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { deadlineOf, leaseFor } from "../core/lease.ts";
import { checkName, readOptions } from "../core/steps.ts";
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
}

/** A claim without a key: steps just run, writes commit alone, and keys are random. */
export function unheld(engine: Engine, remaining: number | undefined): Unheld {
  const lease = leaseFor(engine, remaining);
  const deadline = deadlineOf(lease, engine.runtime);
  const writing = writingOf(engine, lease, engine.runtime.uniqueId());
  let ended = false;

  function assertLive(what: string): void {
    if (!ended) return;
    throw new IdempotencyConfigError(`${what} was called after the function had returned; allowed is while it runs`);
  }

  const claim: CurrentClaim = {
    id: undefined,
    held: false,
    attempt: 1,
    get signal() {
      return deadline.signal();
    },
    remainingTimeInMillis: deadline.remaining,
    async step(name, fn, options = {}) {
      readOptions(name, fn, options);
      return fn({ idempotencyKey: randomUUID(), attempt: 1, signal: deadline.signal() });
    },
    keyFor(name) {
      checkName(name, "what a key is for");
      return randomUUID();
    },
    write(...writes) {
      assertLive("write()");
      writing.collect(writes);
    },
    async commit(writes) {
      assertLive("commit()");
      const first = writing.size;
      const plan = writing.plan(writes);
      return answerOf(await writing.send(undefined, plan), plan, first) as never;
    },
  };

  return {
    status: "unheld",
    claim,
    async returned() {
      ended = true;
      deadline.cancel();
      if (writing.size === 0) return;
      const plan = writing.plan();
      const end = await writing.send(undefined, plan);
      if (end.status === "refused") throw writeConflict(plan, end.facts);
    },
  };
}
