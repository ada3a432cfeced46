import { brand, IdempotencyErrorBase } from "./error-base.ts";
import type {
  IdempotencyForbiddenError,
  IdempotencyKeyMissingError,
  IdempotencyPreconditionRequiredError,
  IdempotencyPrincipalMissingError,
  IdempotencyRequestTooOldError,
  IdempotencySignatureError,
  IdempotencyTokenError,
} from "./refusals.ts";

/** The first call with this key is still running. Nothing ran; try again after `retryAfter` seconds. */
export class IdempotencyInProgressError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyInProgressError";
  readonly code = "in_progress";
  readonly statusCode = 409;
  declare readonly retryAfter: number;
  /** Milliseconds to the end of the first call's lock, where they are known. Most calls are done long before. */
  declare readonly lockEndsIn: number | undefined;

  constructor({ retryAfter, lockEndsIn }: { retryAfter: number; lockEndsIn?: number | undefined }) {
    super(`a call with the same idempotency key is still running; try again in ${retryAfter} s`, {
      retryAfter,
      facts: { retryAfter, lockEndsIn },
    });
  }
}

/** The operation ran before and `whenCompleted` is `'reject'`. Nothing ran. */
export class IdempotencyDuplicateError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyDuplicateError";
  readonly code = "duplicate";
  readonly statusCode = 409;

  constructor() {
    super("this operation has already been answered");
  }
}

/** The key was used before for another request. Nothing ran, and the stored record is untouched. */
export class IdempotencyKeyReusedError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyKeyReusedError";
  readonly code = "key_reused";
  readonly statusCode = 422;

  constructor() {
    super("this idempotency key was used before for a different request; use a new key for a new request");
  }
}

/** The claim was taken over while the function ran, and the successor has no result yet. Its record is untouched. */
export class IdempotencyClaimLostError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyClaimLostError";
  readonly code = "claim_lost";
  readonly statusCode = 409;

  constructor({ retryAfter = 1 }: { retryAfter?: number } = {}) {
    super(
      `this call outlived its lock and another one has taken the operation over; try again in ${retryAfter} s for its answer`,
      { retryAfter },
    );
  }
}

/** An earlier call never finished, and `whenAbandoned` is `'reject'`: an operator decides. Nothing ran. */
export class IdempotencyAbandonedError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyAbandonedError";
  readonly code = "abandoned";
  readonly statusCode = 409;
  declare readonly id: string;

  constructor({ id }: { id: string }) {
    super("an earlier call with this idempotency key ended without a known outcome; it has to be resolved by hand", {
      facts: { id },
    });
  }
}

/** What kept a store from answering. */
export type StoreFailure =
  | "throttled"
  | "timeout"
  | "unavailable"
  | "missing_table"
  | "access_denied"
  | "credentials"
  | "invalid_request";

/**
 * The store could not answer. Before the function: it did not run. With `outcome: 'unknown'`: a
 * commit may or may not have happened, and the key is held.
 */
export class IdempotencyStoreError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyStoreError";
  readonly code = "store_failed";
  readonly statusCode = 503;
  declare readonly reason: StoreFailure;
  /** The same request may succeed later without a change. */
  declare readonly retryable: boolean;
  /** The IAM action of the request, such as `dynamodb:PutItem`. */
  declare readonly action: string | undefined;
  declare readonly table: string | undefined;
  declare readonly outcome: "known" | "unknown";

  constructor(facts: {
    reason: StoreFailure;
    detail: string;
    action?: string | undefined;
    table?: string | undefined;
    outcome?: "known" | "unknown";
    cause?: unknown;
  }) {
    const { reason, detail, action, table, outcome = "known", cause } = facts;
    const retryable = ["throttled", "timeout", "unavailable"].includes(reason);
    super(`the idempotency store failed: ${detail}`, {
      cause,
      retryAfter: 2,
      facts: { reason, retryable, action, table, outcome },
    });
  }
}

/** A write of the function's own did not meet its condition. Nothing was committed. */
export class IdempotencyWriteConflictError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyWriteConflictError";
  readonly code = "write_conflict";
  readonly statusCode = 409;
  /** Which of the writes, counted from 0 in the order in which they were given. */
  declare readonly index: number;
  /** DynamoDB's cancellation reason, such as `ConditionalCheckFailed`. */
  declare readonly reason: string;
  /** The item that stood there, in native values; `undefined` where there was none. */
  declare readonly item: unknown;
  /** What the write itself makes of it, such as `{ outcome: 'stale', ... }`. */
  declare readonly outcome: unknown;

  constructor({ index, reason, item, outcome }: { index: number; reason: string; item?: unknown; outcome?: unknown }) {
    super(`write ${index} of the operation was refused (${reason}); nothing was committed`, {
      facts: { index, reason, item, outcome },
    });
  }
}

/** A step that must run at most once was begun by an earlier attempt and its outcome is unknown. */
export class IdempotencyStepInterruptedError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyStepInterruptedError";
  readonly code = "step_interrupted";
  readonly statusCode = 500;
  declare readonly step: string;

  constructor({ step }: { step: string }) {
    super(`the step '${step}' was begun by an earlier attempt that never reported its outcome`, { facts: { step } });
  }
}

/** The result that does not fit into the record. */
export const tooLarge = ({ bytes, limit }: { bytes: number; limit: number }, path = "$"): IdempotencyResultError =>
  new IdempotencyResultError({ path, detail: `${bytes} bytes where a record holds at most ${limit}` });

/** The result cannot be stored and brought back equal. The same error answers every later call. */
export class IdempotencyResultError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyResultError";
  readonly code = "result_unstorable";
  readonly statusCode = 500;
  /** Where in the result, such as `$.items[2].at`. */
  declare readonly path: string;
  /** What stands there and what is allowed. */
  declare readonly detail: string;
  /** Whether the function's effect stands: `false` where it was to commit with the result, and nothing was committed. */
  declare readonly carriedOut: boolean;

  constructor({ path, detail, carriedOut = true }: { path: string; detail: string; carriedOut?: boolean }) {
    super(`the function's result cannot be stored: ${detail} at ${path}`, { facts: { path, detail, carriedOut } });
  }
}

/** The stored item is corrupt or of a newer version. Nothing ran; repair or purge the record. */
export class IdempotencyRecordError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyRecordError";
  readonly code = "record_corrupt";
  readonly statusCode = 500;
  declare readonly id: string;
  declare readonly detail: string;

  constructor({ id, detail, cause }: { id: string; detail: string; cause?: unknown }) {
    super(`the idempotency record ${id} cannot be used: ${detail}`, { cause, facts: { id, detail } });
  }
}

/**
 * Throw it from a function whose outcome is unknown (a provider timed out after the request was sent):
 * the key stays locked until the lock lapses, and `whenAbandoned` decides then.
 *
 * @example
 * throw new IdempotencyOutcomeUnknownError("the payment provider did not answer", { cause: error });
 */
export class IdempotencyOutcomeUnknownError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyOutcomeUnknownError";
  readonly code = "outcome_unknown";
  readonly statusCode = 500;

  constructor(message = "the outcome of the operation is unknown", options?: { cause?: unknown }) {
    super(message, options);
  }
}

/** Too little time is left to run the function and record its result. Nothing ran. */
export class IdempotencyNoTimeLeftError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyNoTimeLeftError";
  readonly code = "no_time_left";
  readonly statusCode = 503;

  constructor({ remaining, needed }: { remaining: number; needed: number }) {
    super(
      `${Math.round(remaining)} ms are left to run, and more than ${needed} ms are needed to run the function and record its result`,
      { retryAfter: 1 },
    );
  }
}

/** A function was called with its own key from inside itself: it would wait for its own end. The inner call did not run. */
export class IdempotencyReentrantError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyReentrantError";
  readonly code = "reentrant";
  readonly statusCode = 500;

  constructor() {
    super("the function calls itself with the idempotency key that it is running under");
  }
}

/** An option, or the way that a function is called, is wrong. Says what was given and what is allowed. */
export class IdempotencyConfigError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyConfigError";
  readonly code = "config";
  readonly statusCode = 500;
}

/** Any error of this library; `code` tells them apart. */
export type IdempotencyError =
  | IdempotencyInProgressError
  | IdempotencyDuplicateError
  | IdempotencyKeyReusedError
  | IdempotencyKeyMissingError
  | IdempotencyPrincipalMissingError
  | IdempotencyForbiddenError
  | IdempotencyRequestTooOldError
  | IdempotencyTokenError
  | IdempotencyPreconditionRequiredError
  | IdempotencySignatureError
  | IdempotencyClaimLostError
  | IdempotencyAbandonedError
  | IdempotencyStoreError
  | IdempotencyWriteConflictError
  | IdempotencyStepInterruptedError
  | IdempotencyResultError
  | IdempotencyRecordError
  | IdempotencyOutcomeUnknownError
  | IdempotencyNoTimeLeftError
  | IdempotencyReentrantError
  | IdempotencyConfigError;

/**
 * Whether `error` is one of this library's, also where two copies of it are bundled.
 *
 * @example
 * const answer = await placeOrder(order).catch((error: unknown) => {
 *   if (isIdempotencyError(error) && error.code === "in_progress") return retryLater(error.retryAfter);
 *   throw error;
 * });
 */
export function isIdempotencyError(error: unknown): error is IdempotencyError {
  try {
    return Object(error)[brand] === true;
  } catch {
    return false; // A revoked proxy.
  }
}
