import { AsyncLocalStorage } from "node:async_hooks";
import type { Claim } from "../core/claim.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { signalled } from "../core/signalled.ts";
import type { StepContext, StepOptions } from "../core/steps.ts";
import type { Storable } from "../core/storable.ts";
import type { Commit, Writable } from "../core/write.ts";
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
  /**
   * Runs `fn` once over all attempts: its result is recorded under the claim, in one request, and a later attempt gets it
   * without running. A step that was begun and never recorded (a crash) runs again with the same `idempotencyKey`, or,
   * with `{ once: true }` (one more request), is refused with `IdempotencyStepInterruptedError`. Steps may run in parallel.
   *
   * @throws IdempotencyConfigError for a name that is used twice, and under `claimAt: 'commit'`
   * @throws IdempotencyResultError where the step's result cannot be stored: nothing is recorded
   * @throws IdempotencyClaimLostError where another call has taken over: nothing is recorded
   *
   * @example
   * const charge = idempotent(
   *   async (order: Order) => {
   *     const claim = currentClaim();
   *     return claim.step("charge", ({ idempotencyKey, signal }) =>
   *       provider.charge(order.id, { idempotencyKey, signal }),
   *     );
   *   },
   *   { store, operation: "charge", key: "id" },
   * );
   */
  step<Result>(
    name: string,
    fn: (about: StepContext) => Promise<Result & Storable<Result>> | (Result & Storable<Result>),
    options?: StepOptions,
  ): Promise<Result>;
  /**
   * A UUID (version 5) for others who honour idempotency keys: the same for this key and `name` in every attempt, and also
   * after the record has expired. Random where nothing is claimed.
   */
  keyFor(name: string): string;
  /**
   * Adds DynamoDB writes to what commits with the result, in one transaction, where the function returns a result that is
   * kept; else nothing is written. Plain actions, as `TransactWriteCommand` takes them, and writes of `lambda-once/writes`;
   * 99 items and 4 MB at most. Where nothing is claimed they commit alone.
   *
   * @throws IdempotencyConfigError for writes that cannot be committed together, in a step, after the function has
   * returned, and for a store without tables
   * @throws IdempotencyClaimLostError where another call has taken over
   *
   * @example
   * const placeOrder = idempotent(
   *   async (order: Order) => {
   *     currentClaim().write({ Put: { TableName: "orders", Item: { ...order, status: "placed" } } });
   *     return { orderId: order.id, status: "placed" };
   *   },
   *   { store, operation: "place-order", key: "id" },
   * );
   */
  write(...writes: readonly Writable[]): void;
  /**
   * Commits writes and a result now, in one transaction, and says how each came out. Where it committed, `result` is the
   * operation's answer, whatever the function returns. Where a condition failed nothing was written and the claim is still held.
   *
   * @throws IdempotencyClaimLostError, IdempotencyResultError: nothing was committed
   * @throws IdempotencyStoreError with outcome `'unknown'` where nobody knows whether it was: the key stays held
   */
  commit<const Writes extends readonly Writable[], Result = undefined>(
    writes: Writes,
    end?: { readonly result: Result & Storable<Result> },
  ): Promise<Commit<Writes>>;
}

/** The view of a held claim that its function gets: it can look and write, and not end it. `reduce` says what of a result is stored. */
export function heldClaim(claim: Claim, reduce?: (result: unknown) => unknown): CurrentClaim {
  const view: CurrentClaim = Object.assign(signalled(claim.signal), {
    id: claim.id,
    held: true,
    attempt: claim.attempt,
    remainingTimeInMillis: () => claim.remainingTimeInMillis(),
    step: (name, fn, options) => claim.step(name, (about) => inStep(view, () => fn(about)), options) as Promise<never>,
    keyFor: (name) => claim.keyFor(name),
    write(...writes) {
      refuseInStep(view, "write()");
      claim.write(writes);
    },
    async commit(writes, end) {
      refuseInStep(view, "commit()");
      return (await claim.commit(writes, end?.result, reduce)) as never;
    },
  } satisfies Omit<CurrentClaim, "signal">);
  return view;
}

/** The claims behind the views that a context shows. */
const shown = new WeakMap<CurrentClaim, Claim>();

/** Shows a claim to the handler that gets `context`, and to the calls that it makes with it. */
export function showClaim(
  context: { claim?: CurrentClaim },
  claim: Claim,
  reduce?: (result: unknown) => unknown,
): void {
  const view = heldClaim(claim, reduce);
  shown.set(view, claim);
  context.claim = view;
}

/** The claim that `context` shows, while it holds: a context may be used again once its request is over. */
function heldOn(context: LambdaContext | undefined): Claim | undefined {
  const claim = shown.get((context as { readonly claim?: CurrentClaim } | undefined)?.claim as CurrentClaim);
  return claim === undefined || claim.ended() || claim.overdue() ? undefined : claim;
}

/** One wrapped function at work, inside of those that called it. */
export interface Frame {
  readonly claim: CurrentClaim;
  readonly context: LambdaContext | undefined;
  readonly outer: Frame | undefined;
  /** Whether the function still runs; what it started may outlive it. */
  running: boolean;
  /** It is a step of the claim that runs here: in a replay it does not, so that writes would be lost. */
  readonly isStep: boolean;
}

const frames = new AsyncLocalStorage<Frame>();

/** How many functions are at work in this process. */
let atWork = 0;

/** The innermost frame, where any function is at work. */
export function currentFrame(): Frame | undefined {
  let frame = frames.getStore();
  while (frame !== undefined && !frame.running) frame = frame.outer;
  return frame;
}

/** Runs `fn` in a frame of its own and closes the frame with it. */
export async function inFrame<R>(
  claim: CurrentClaim,
  context: LambdaContext | undefined,
  fn: () => R | Promise<R>,
  isStep = false,
): Promise<R> {
  let outer = frames.getStore();
  // What has ended holds nothing any more; only of a step is it asked afterwards.
  while (outer !== undefined && !outer.running && !outer.isStep) outer = outer.outer;
  const frame: Frame = { claim, context, outer, running: true, isStep };
  atWork++;
  try {
    return await frames.run(frame, fn);
  } finally {
    frame.running = false;
    // Up to Node 22 a storage in use makes every promise of the process dearer, those of the requests to the store too.
    if (--atWork === 0) frames.disable();
  }
}

/** Runs the function of a step. */
const inStep = <R>(claim: CurrentClaim, fn: () => R | Promise<R>): Promise<R> =>
  inFrame(claim, currentFrame()?.context, fn, true);

/** What is written in a step would be lost where the step is not run again. */
function refuseInStep(claim: CurrentClaim, what: string): void {
  for (let frame = frames.getStore(); frame !== undefined; frame = frame.outer) {
    if (!frame.isStep || frame.claim !== claim) continue;
    throw new IdempotencyConfigError(
      `${what} was called inside a step, which a later attempt does not run; allowed is outside of steps, with the step's result`,
    );
  }
}

/**
 * Whether a function that is still at work around the caller holds one of these records. The handler of a Middy middleware
 * has no frame: a call that it makes is known by the request's own `context`.
 */
export function isHeldByCaller(
  records: readonly { readonly id: string }[],
  context: LambdaContext | undefined,
): boolean {
  const isOne = (held: string | undefined): boolean => records.some(({ id }) => id === held);
  const outer = heldOn(context);
  if (outer !== undefined && isOne(outer.id)) return true;
  for (let frame = frames.getStore(); frame !== undefined; frame = frame.outer) {
    if (frame.running && isOne(frame.claim.id)) return true;
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
 *     return known ?? (await provider.charge(order.id, { signal }));
 *   },
 *   { store, operation: "charge", key: "id" },
 * );
 */
export function currentClaim(): CurrentClaim {
  let frame = frames.getStore();
  while (frame?.isStep === true && !frame.running) frame = frame.outer;
  if (frame?.running !== true) {
    throw new IdempotencyConfigError(
      "currentClaim() was called outside of a function that idempotent() wraps, or after its end",
    );
  }
  return frame.claim;
}
