import { reasonNamed } from "../failures.ts";
import type { Failure } from "./failure.ts";

/** Why the same request may succeed when it is sent again. */
export type Again = "throttled" | "transient";

/** Of our own, and what says that nothing was written. */
const AGAIN: ReadonlySet<unknown> = new Set([
  ...["ChecksumMismatch", "UnreadableAnswer", "ReplicatedWriteConflictException"],
  ...[500, 502, 503, 504],
]);

/** An earlier sending of the same transaction is at work: it may come about. */
const AT_WORK = "TransactionInProgressException";

/** The SDK's standard mode: what it retries, and nothing else. */
export function again({ name, code, $metadata }: Failure): Again | undefined {
  const status = $metadata?.httpStatusCode;
  const reason = reasonNamed(code) ?? reasonNamed(name);
  if (status === 429 || reason === "throttled" || name === AT_WORK) return "throttled";
  const isTransient = reason === "timeout" || reason === "unavailable" || AGAIN.has(name) || AGAIN.has(status);
  return isTransient ? "transient" : undefined;
}

const CAPACITY = 500;
const COST = { throttled: 5, transient: 14 } as const;
/** Milliseconds. */
const BASE = { throttled: 1_000, transient: 50 } as const;
const LONGEST = 20_000;

/** How often all requests of a client together may be sent again. */
export interface RetryBudget {
  /** Takes from the budget; the milliseconds to wait before attempt `next` (2, 3, ...), or `undefined` where nothing is left. */
  spend(why: Again, next: number): number | undefined;
  /** Gives back: what the last retry cost, or a little where the first attempt was answered. */
  answered(last: Again | undefined): void;
}

/**
 * The SDK's budget and pauses, with one difference: every definite answer fills it up, a refused condition too.
 * A process that only ever replays would else use it up for good.
 */
export function retryBudget(random: () => number): RetryBudget {
  let left = CAPACITY;
  return {
    spend(why, next) {
      if (left < COST[why]) return undefined;
      left -= COST[why];
      return Math.floor(random() * Math.min(BASE[why] * 2 ** (next - 2), LONGEST));
    },
    answered(last) {
      left = Math.min(CAPACITY, left + (last === undefined ? 1 : COST[last]));
    },
  };
}
