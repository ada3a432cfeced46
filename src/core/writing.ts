import { type CommitEnd, carryOut, writeConflict } from "./commit.ts";
import { type CommitPlan, planCommit, snapshot } from "./commit-plan.ts";
import { show } from "./duration.ts";
import type { Engine } from "./engine.ts";
import { IdempotencyConfigError } from "./errors.ts";
import type { Lease } from "./lease.ts";
import type { CommitRecord } from "./store.ts";
import type { Commit, Writable } from "./write.ts";

/** The writes of one call, collected until they commit. */
export interface Writing {
  /** How many writes were collected. */
  size(): number;
  /**
   * Adds writes to what commits with the result.
   *
   * @throws IdempotencyConfigError for writes that cannot be committed together
   */
  collect(writes: readonly Writable[]): void;
  /**
   * What was collected and `more`, as they are now, for one commit.
   *
   * @throws IdempotencyConfigError for writes that cannot be committed together
   */
  plan(more?: readonly Writable[]): CommitPlan;
  /** Commits a plan with the record. A request of its own: the next one has another token. */
  send(record: CommitRecord | undefined, plan: CommitPlan): Promise<CommitEnd>;
}

/** The writes of a call that holds `owner`, the token of its first commit. */
export function writingOf(engine: Engine, lease: Lease, owner: string): Writing {
  const collected: Writable[] = [];
  let token: string | undefined = owner;

  const taking = (writes: readonly Writable[]): Writable[] =>
    writes.map((write, index) => snapshot(write, collected.length + index));

  function committer(): NonNullable<Engine["store"]["commit"]> {
    const { commit } = engine.store;
    if (commit !== undefined) return (request) => commit.call(engine.store, request);
    throw withoutTables("write()");
  }

  return {
    size: () => collected.length,
    collect(writes) {
      committer();
      const taken = taking(writes);
      planCommit([...collected, ...taken]);
      collected.push(...taken);
    },
    plan: (more = []) => planCommit([...collected, ...taking(more)]),
    async send(record, plan) {
      const commit = committer();
      const request = { record, actions: plan.actions(), token: token ?? engine.runtime.uniqueId() };
      // A token that was used is answered with success without writing: it belongs to these bytes only.
      token = undefined;
      return await carryOut(engine, commit, lease, request);
    },
  };
}

/** The error of a store that cannot commit. */
export const withoutTables = (what: string): IdempotencyConfigError =>
  new IdempotencyConfigError(
    `${what} has no tables to write to in this store; allowed are dynamoDBStore(), and memoryStore({ tables: memoryTables({ ... }) }) in tests`,
  );

/** What `claim.commit()` answers, from how it ended. `first` of the plan's writes were collected before. */
export function answerOf<const Writes extends readonly Writable[]>(
  end: CommitEnd,
  plan: CommitPlan,
  first: number,
): Commit<Writes> {
  if (end.status === "committed") {
    const facts = plan.actions().map(() => ({ status: "committed" }) as const);
    return { committed: true, outcomes: plan.outcomes(facts).slice(first) as never };
  }
  if (end.status !== "refused") throw new TypeError(`no answer from ${show(end.status)}`);
  const error = writeConflict(plan, end.facts);
  // What DynamoDB refuses for another reason than a condition is no ordinary answer, nor is one to a write of before.
  if (error.reason !== "ConditionalCheckFailed" || error.index < first) throw error;
  return { committed: false, outcomes: plan.outcomes(end.facts).slice(first) as never };
}
