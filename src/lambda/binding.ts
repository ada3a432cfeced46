import type { Duration } from "../core/duration.ts";
import type { Remember } from "../core/engine.ts";
import type { IdempotencyError } from "../core/errors.ts";

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
}

/**
 * How one kind of event gives key, principal and fingerprint, and how an outcome is rendered for its
 * caller. Pure and synchronous; called before any user code.
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
  /** The answer of a replay, from the stored result. Default: the result itself. */
  readonly replay?: (result: Result, ...args: Args) => Result;
  /** The answer of a refusal. Default: the error is thrown. */
  readonly refuse?: (error: IdempotencyError, ...args: Args) => Result;
  readonly remember?: Remember;
  readonly expiresAfter?: Duration;
}
