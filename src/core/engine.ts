import type { Codec } from "./codec.ts";
import type { Policies } from "./decide.ts";
import type { IdempotencyEvent, Observer } from "./observe.ts";
import type { IdempotencyStore } from "./store.ts";

/** How a function ended. */
export type Outcome =
  | { readonly status: "returned"; readonly result: unknown }
  | { readonly status: "threw"; readonly error: unknown };

/**
 * Decides what becomes of the key: `keep` stores the outcome and replays it, `release` gives the key back
 * so that the next call runs, `hold` leaves it locked until the lock lapses. Synchronous.
 */
export type Remember = (
  outcome: Outcome,
  about: { readonly attempt: number; readonly steps: readonly string[] },
) => "keep" | "release" | "hold";

/** Monotonic time, timers and randomness, handed in from the edge. */
export interface Runtime {
  /** Milliseconds on a clock that never jumps; only differences mean anything. */
  monotonic(): number;
  /** A fresh random id that no other claim has: 36 characters at most. */
  uniqueId(): string;
  /** A UUID that is the same for the same record and name, for ever and everywhere. */
  stableId(record: string, name: string): string;
  /** From 0 up to, and not including, 1. */
  random(): number;
  sleep(millis: number): Promise<void>;
  /** Calls `ring` after `millis`, without keeping the process alive; returns the way to cancel it. */
  alarm(millis: number, ring: () => void): () => void;
}

/** What `begin()` needs besides the request: the validated options of one operation. All times in milliseconds. */
export interface Engine {
  readonly operation: string;
  readonly store: IdempotencyStore;
  readonly codec: Codec;
  readonly observe: Observer | undefined;
  readonly policies: Policies;
  readonly remember: Remember;
  /** How long a stored outcome answers. */
  readonly retention: number;
  /** `undefined`: what the caller has left to run, plus `lockMargin`. */
  readonly lockFor: number | undefined;
  /** Lies after the caller's end: what the clocks of two machines may differ by. */
  readonly lockMargin: number;
  /** Lies before the caller's end: what saving the result may take. */
  readonly deadlineMargin: number;
  /** The same where writes are committed with the result and the time allows it. */
  readonly commitMargin: number;
  /** `commit`: nothing is claimed before the function, and the record is written with its writes. */
  readonly claimAt: "start" | "commit";
  /** How long a call waits for one that runs; 0: not at all, `undefined`: as long as its caller has time. */
  readonly patience: number | undefined;
  readonly runtime: Runtime;
}

/** Tells the observer, whatever it does. */
export function tell(engine: Pick<Engine, "observe" | "operation">, id: string | undefined, turn: Turn): void {
  if (engine.observe === undefined) return;
  try {
    const told: unknown = engine.observe({ operation: engine.operation, id, ...turn } as IdempotencyEvent);
    if (told instanceof Promise) told.catch(() => {});
  } catch {
    // An observer must not decide whether a payment is made twice.
  }
}

/** An event without what `tell` adds. */
export type Turn = IdempotencyEvent extends infer E ? (E extends unknown ? Omit<E, "operation" | "id"> : never) : never;

/** What every store failure and every busy item is retried with: full jitter, growing from 50 ms. */
export const backoff = (runtime: Runtime, round: number, most: number = Number.POSITIVE_INFINITY): Promise<void> =>
  runtime.sleep(Math.min(most, runtime.random() * 50 * 2 ** round));
