import type { Duration } from "../core/duration.ts";
import type { Remember } from "../core/engine.ts";
import type { IdempotencyError } from "../core/errors.ts";
import type { EpochSeconds } from "../core/time.ts";

/** Opens a one-time token, as `token()` of `lambda-once/guards` does. */
export type Redeem = (
  token: string,
  facts: { readonly operation: string; readonly principal: string | undefined },
) => { readonly key: string; readonly until: EpochSeconds };

/** What a binding reads from an event. A part that is absent is missing; an option of the operation overrides it. */
export interface Identity {
  /** What makes two requests the same operation: any JSON value. */
  readonly key?: unknown;
  /** Whose key it is. */
  readonly principal?: unknown;
  /** What must not differ between two requests with the same key. */
  readonly fingerprint?: unknown;
  /** `false`: this event is not to be claimed (a GET); the function runs, and nothing is stored. */
  readonly held?: false;
  /** The event says itself that it is a repetition: the record is looked at before it is claimed. */
  readonly retried?: boolean;
  /** The key is a one-time token: what it holds, where it was issued for this operation and principal. Throws for all others. */
  readonly redeem?: Redeem | undefined;
  /** When its sender sent it for the first time, in epoch milliseconds: older than the retention is refused. */
  readonly firstSentAt?: number | undefined;
}

/**
 * How one kind of event gives key, principal and fingerprint, and how an outcome is rendered for its
 * caller. Pure and, but for `authorize`, synchronous; `identify` is called before any user code.
 *
 * @example
 * const orderEvents: Binding<[OrderEvent], Receipt> = {
 *   name: "order events",
 *   identify: (event) => ({ key: event.id, principal: event.tenant, fingerprint: event.order }),
 * };
 */
export interface Binding<Args extends readonly unknown[] = never, Result = never> {
  readonly name: string;
  identify(...args: Args): Identity;
  /**
   * Asked before every execution and every replay, once the identity is read: whether the caller may do this now.
   * Everything but `true` is refused. What it throws passes through.
   */
  authorize?(...args: Args): boolean | Promise<boolean>;
  /** What of a result is stored; the caller of the execution still gets all of it. Default: the result itself. */
  store?(result: Result, ...args: Args): unknown;
  /** The answer of an execution under a claim. Default: the function's result. */
  executed?(result: Result, ...args: Args): Result;
  /** The answer of a function that ran without a claim. What it throws of ours is a refusal. Default: the function's result. */
  unheld?(result: Result, ...args: Args): Result;
  /** The answer of a replay, from the stored result. Default: the result itself. */
  replay?(result: Result, ...args: Args): Result;
  /** The answer of a refusal. Default: the error is thrown. */
  refuse?(error: IdempotencyError, ...args: Args): Result;
  /** Its keys are one-time tokens, which are claimed before the function runs. */
  readonly redeems?: boolean;
  readonly remember?: Remember;
  readonly expiresAfter?: Duration;
  /** The longest that a caller of this kind waits for an answer: a call that waits for another one ends by then. */
  readonly answerWithin?: Duration;
}

/** How a binding reduces the result of a call to what is stored; `undefined`: not at all. */
export function reducerOf(
  binding: Binding<readonly unknown[], unknown> | undefined,
  args: readonly unknown[],
): ((result: unknown) => unknown) | undefined {
  return binding?.store === undefined ? undefined : (result) => binding.store?.(result, ...args);
}
