import { checkNames, refuseValue } from "../core/check.ts";
import { type Duration, show, toMillis } from "../core/duration.ts";
import { IdempotencyConfigError, IdempotencyStoreError, type StoreFailure } from "../core/errors.ts";
import type { IdempotencyRecord } from "../core/record.ts";
import type { IdempotencyStore } from "../core/store.ts";
import { epochMillis } from "../core/time.ts";
import { fromItem } from "../store/item.ts";
import { memoryStore, type TransactTables } from "../store/memory.ts";

/** One turn of a call at its store. */
export type StoreTurn = "issue" | "claim" | "complete" | "release" | "checkpoint" | "renew" | "commit" | "read";

const TURNS: readonly StoreTurn[] = ["issue", "claim", "complete", "release", "checkpoint", "renew", "commit", "read"];

/** How a turn fails. */
export interface TurnFailure {
  /** Default: `'access_denied'`, which is not tried again. */
  readonly reason?: StoreFailure;
  /** The turn is carried out and only its response is lost. Default: `false`. */
  readonly responseLost?: boolean;
}

/** A memory store whose clock, faults and records are in a test's hands. */
export interface TestingStore extends IdempotencyStore {
  /** Moves the wall clock: locks lapse and records expire. It stands still otherwise. */
  advance(duration: Duration): void;
  /** Makes the next `turn` fail; calls add up. */
  failNext(turn: StoreTurn, failure?: TurnFailure): void;
  /**
   * Makes a running call look as if its process had died: its lock lapses now, and nothing that it still
   * sends arrives. The next call with the key takes over.
   *
   * @throws IdempotencyConfigError where no record in progress has this id
   */
  crash(id: string): void;
  /** All records, the oldest first, expired ones too. */
  records(): readonly IdempotencyRecord[];
}

/**
 * A store for tests of one's own handlers: `memoryStore()` with a clock to move and faults to inject. `tables` are those of
 * `claim.write(...)`, as `memoryTables()` makes them.
 *
 * @example
 * const store = testingStore();
 * const restore = useStore(store); // the handler's module made its own store when it was loaded
 * await handler(event, lambdaContext());
 * await handler(event, lambdaContext());
 * expect(charge).toHaveBeenCalledTimes(1);
 * store.advance({ hours: 25 });
 * await handler(event, lambdaContext());
 * expect(charge).toHaveBeenCalledTimes(2);
 * restore();
 */
export function testingStore(options: { readonly tables?: TransactTables | undefined } = {}): TestingStore {
  checkNames("testingStore()", options, ["tables"]);
  let now = Date.now();
  const store = memoryStore({ ...options, clock: { now: () => epochMillis(now) } });
  const { commit, issue } = store;
  const failures: { turn: StoreTurn; failure: TurnFailure }[] = [];
  const dead = new Set<string>();

  async function at<A>(turn: StoreTurn, owner: string | undefined, carryOut: () => Promise<A>): Promise<A> {
    if (owner !== undefined && dead.has(owner)) throw failed({}, "the process that held the claim has crashed");
    const next = failures.findIndex((failure) => failure.turn === turn);
    if (next < 0) return carryOut();
    const [{ failure }] = failures.splice(next, 1) as [(typeof failures)[number]];
    if (failure.responseLost === true) await carryOut();
    throw failed(failure, `failNext('${turn}') was called`);
  }

  return {
    clock: store.clock,
    issue: issue && ((request) => at("issue", request.owner, () => issue(request))),
    claim: (request) => at("claim", request.owner, () => store.claim(request)),
    complete: (request) => at("complete", request.owner, () => store.complete(request)),
    release: (request) => at("release", request.owner, () => store.release(request)),
    checkpoint: (request) => at("checkpoint", request.owner, () => store.checkpoint(request)),
    renew: (request) => at("renew", request.owner, () => store.renew(request)),
    commit: commit && ((request) => at("commit", request.record?.owner, () => commit(request))),
    read: (id, options) => at("read", undefined, () => store.read(id, options)),
    advance(duration) {
      now += toMillis(duration, "duration");
    },
    failNext(turn, failure = {}) {
      if (!TURNS.includes(turn)) refuseValue("turn", turn, `are ${TURNS.map(show).join(", ")}`);
      failures.push({ turn, failure });
    },
    crash(id) {
      const item = store.items.get(id);
      const record = fromItem(item, id);
      if (item === undefined || record?.status !== "IN_PROGRESS") {
        throw new IdempotencyConfigError(`no record in progress has the id ${show(id)}`);
      }
      dead.add(record.owner);
      store.items.set(id, { ...item, lockedUntil: { N: String(Math.min(record.lockedUntil, now)) } });
    },
    records() {
      const found = [...store.items].map(([id, item]) => fromItem(item, id));
      return found.filter(
        (record): record is IdempotencyRecord => record !== undefined && record.status !== "UNREADABLE",
      );
    },
  };
}

function failed({ reason = "access_denied" }: TurnFailure, detail: string): IdempotencyStoreError {
  return new IdempotencyStoreError({ reason, detail });
}
