/**
 * The errors that callers see. Each has a literal `code` to branch on and the facts that an HTTP front
 * end reads (`statusCode`, `expose`, `headers`: the names of Middy's http-error-handler). Facts go in,
 * the class writes its sentence; no sentence holds a key, a payload, a result or a secret.
 */
/** Known to every copy of this library. */
export const brand: unique symbol = Symbol.for("lambda-once.error");

export class IdempotencyErrorBase extends Error {
  /** The message may be shown to the caller. */
  readonly expose = true;
  /** `Retry-After` in whole seconds where trying again makes sense, else empty. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(message: string, options: { cause?: unknown; retryAfter?: number; facts?: object } = {}) {
    const { cause, retryAfter, facts } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.headers = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
    Object.assign(this, facts);
  }
}
Object.defineProperty(IdempotencyErrorBase.prototype, brand, { value: true });
