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

type Parts = Readonly<Record<"name" | "code" | (typeof CAUSES)[number], unknown>>;

/**
 * Whether an error says that nobody knows if the effect happened: a request that timed out, was aborted or lost its
 * connection, our own errors of that kind, whatever was caused by one of these, and what cannot be read.
 */
export function outcomeIsUnknown(error: unknown): boolean {
  const seen = new Set<unknown>();
  const saysSo = (one: unknown): boolean => {
    if (typeof one !== "object" || one === null || seen.has(one)) return false;
    seen.add(one);
    if (isIdempotencyError(one)) {
      return (
        one.code === "outcome_unknown" ||
        one.code === "step_interrupted" ||
        (one.code === "store_failed" && one.outcome === "unknown")
      );
    }
    const parts = one as Parts;
    if (NAMES.has(parts.name) || CODES.has(parts.code)) return true;
    return CAUSES.some((name) => [parts[name]].flat().some(saysSo));
  };
  try {
    return saysSo(error);
  } catch {
    return true;
  }
}
