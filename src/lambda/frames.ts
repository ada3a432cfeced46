import { AsyncLocalStorage } from "node:async_hooks";
import type { Claim } from "../core/claim.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import type { LambdaContext } from "./context.ts";

/** What a running function can learn about its claim. */
export interface CurrentClaim {
  /** The record's id, fit for logs: a hash, never the key. `undefined` where nothing is claimed. */
  readonly id: string | undefined;
  /** Whether a key is claimed. `false` where the function runs without one: nothing is stored then. */
  readonly held: boolean;
  /** 1, or more where an earlier attempt ended without a known outcome: its effects may have happened. */
  readonly attempt: number;
  /** Aborts at the claim's deadline. What fails after that leaves the key locked until the lock lapses. */
  readonly signal: AbortSignal;
  /** Milliseconds to the claim's deadline; 0 after it. */
  remainingTimeInMillis(): number;
}

/** The view of a held claim that its function gets: it can look, and not end it. */
export function heldClaim(claim: Claim): CurrentClaim {
  return {
    id: claim.id,
    held: true,
    attempt: claim.attempt,
    get signal() {
      return claim.signal;
    },
    remainingTimeInMillis: () => claim.remainingTimeInMillis(),
  };
}

/** One wrapped function at work, inside of those that called it. */
export interface Frame {
  readonly claim: CurrentClaim;
  readonly context: LambdaContext | undefined;
  readonly outer: Frame | undefined;
  /** Whether the function still runs; what it started may outlive it. */
  running: boolean;
}

const frames = new AsyncLocalStorage<Frame>();

/** How many functions are at work in this process. */
let atWork = 0;

/** The innermost frame, where any function is at work. */
export const currentFrame = (): Frame | undefined => frames.getStore();

/** Runs `fn` in a frame of its own and closes the frame with it. */
export async function inFrame<R>(
  claim: CurrentClaim,
  context: LambdaContext | undefined,
  fn: () => R | Promise<R>,
): Promise<R> {
  const frame: Frame = { claim, context, outer: frames.getStore(), running: true };
  atWork++;
  try {
    return await frames.run(frame, fn);
  } finally {
    frame.running = false;
    // Up to Node 22 a storage in use makes every promise of the process dearer, those of the requests to the store too.
    if (--atWork === 0) frames.disable();
  }
}

/** Whether a function that is still at work around the caller holds one of these records. */
export function isHeldByCaller(ids: readonly string[]): boolean {
  for (let frame = frames.getStore(); frame !== undefined; frame = frame.outer) {
    if (frame.running && frame.claim.id !== undefined && ids.includes(frame.claim.id)) return true;
  }
  return false;
}

/**
 * The claim under which the running function was called, in a wrapped or decorated function and whatever
 * it awaits. (Under the Middy middleware it is at `context.claim`.)
 *
 * @throws IdempotencyConfigError outside of such a function
 *
 * @example
 * const charge = idempotent(
 *   async (order: { id: string; amount: number }) => {
 *     const { attempt, signal } = currentClaim();
 *     const known = attempt > 1 ? await provider.find(order.id) : undefined;
 *     return known ?? (await provider.charge(order, { signal }));
 *   },
 *   { store, operation: "charge", key: "id" },
 * );
 */
export function currentClaim(): CurrentClaim {
  const frame = frames.getStore();
  if (frame === undefined) {
    throw new IdempotencyConfigError("currentClaim() was called outside of a function that idempotent() wraps");
  }
  return frame.claim;
}
