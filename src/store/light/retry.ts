import type { Failure } from "./failure.ts";

/** Why the same request may succeed when it is sent again. */
export type Again = "throttled" | "transient";

const THROTTLED: ReadonlySet<string> = new Set([
  "LimitExceededException",
  "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "TransactionInProgressException",
]);
const TRANSIENT: ReadonlySet<unknown> = new Set([
  "TimeoutError",
  "RequestTimeout",
  "RequestTimeoutException",
  "InternalServerError",
  "ChecksumMismatch",
  "UnreadableAnswer",
  "ReplicatedWriteConflictException",
  "ECONNRESET",
  "ECONNREFUSED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  500,
  502,
  503,
  504,
]);

/** The SDK's standard mode: what it retries, and nothing else. */
export function again({ name, code, $metadata }: Failure): Again | undefined {
  const status = $metadata?.httpStatusCode;
  if (status === 429 || THROTTLED.has(name)) return "throttled";
  return TRANSIENT.has(name) || TRANSIENT.has(code) || TRANSIENT.has(status) ? "transient" : undefined;
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
