/**
 * No answer came, and there is no time or no attempt left, or the option `sleep` failed. The operation may have been
 * carried out: send it again with the same `idempotencyKey` to learn its outcome. A `TypeError`, as of any `fetch` that
 * fails; `cause` is the last fault.
 */
export class IdempotentFetchError extends TypeError {
  override readonly name = "IdempotentFetchError";
  /** The key that all attempts had; `undefined` for GET, HEAD and OPTIONS. */
  declare readonly idempotencyKey: string | undefined;
  /** How often the request was sent. */
  declare readonly attempts: number;
}
