import { isIdempotencyError } from "./errors.ts";

/** Errors that are named so by `AbortSignal`, `fetch` and the AWS SDK; the last is of `lambda-once/client`. */
const NAMES: ReadonlySet<unknown> = new Set(["TimeoutError", "AbortError", "IdempotentFetchError"]);

/** Of Node's sockets, HTTP/2, undici and axios: the request may have been sent and carried out. A refused or unresolved connection is none. */
const CODES: ReadonlySet<unknown> = new Set([
  ...["ETIMEDOUT", "ESOCKETTIMEDOUT", "ECONNRESET", "ECONNABORTED", "EPIPE", "ERR_CANCELED", "ABORT_ERR"],
  ...["ERR_HTTP2_SESSION_ERROR", "ERR_HTTP2_STREAM_ERROR", "ERR_HTTP2_STREAM_CANCEL"],
  ...["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_SOCKET", "UND_ERR_ABORTED"],
]);

/** Where an error keeps what it was caused by: `detail` is stripe-node's, `originalError` Middy's, the last two are `SuppressedError`'s. */
const CAUSES = ["cause", "errors", "detail", "originalError", "error", "suppressed"] as const;

/** More errors than these nobody reads: a getter may make new ones for ever. */
const MOST = 200_000;

/**
 * Whether an error says that nobody knows if the effect happened: a request that timed out, was aborted or lost its
 * connection, our own errors of that kind, whatever was caused by one of these, and what cannot be read.
 */
export function outcomeIsUnknown(error: unknown): boolean {
  const seen = new Set([error]);
  try {
    for (const one of seen) {
      if (saysSo(one) || seen.size > MOST) return true;
      if (isIdempotencyError(one)) continue;
      for (const name of CAUSES) for (const inner of [Object(one)[name]].flat()) seen.add(inner);
    }
    return false;
  } catch {
    return true;
  }
}

function saysSo(error: unknown): boolean {
  if (isIdempotencyError(error)) {
    return (
      error.code === "outcome_unknown" ||
      error.code === "step_interrupted" ||
      (error.code === "store_failed" && error.outcome === "unknown")
    );
  }
  const { name, code, cause } = Object(error);
  // HTTP/2 cancels what its connection never carried.
  return NAMES.has(name) || (CODES.has(code) && !(code === "ERR_HTTP2_STREAM_CANCEL" && cause));
}
