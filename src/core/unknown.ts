import { isIdempotencyError } from "./errors.ts";

/** Errors that are named so by `AbortSignal`, `fetch` and the AWS SDK. */
const NAMES: ReadonlySet<unknown> = new Set(["TimeoutError", "AbortError"]);

/** Of Node's sockets, undici and axios: the request may have been sent and carried out. A refused or unresolved connection is none. */
const CODES: ReadonlySet<unknown> = new Set([
  ...["ETIMEDOUT", "ESOCKETTIMEDOUT", "ECONNRESET", "ECONNABORTED", "EPIPE", "ERR_CANCELED", "ABORT_ERR"],
  ...["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_SOCKET", "UND_ERR_ABORTED"],
]);

/** How far a chain of causes is followed. */
const DEEPEST = 10;

/**
 * Whether an error says that nobody knows if the effect happened: a request that timed out, was aborted or lost its
 * connection, our own errors of that kind, and whatever was caused by one of these.
 */
export function outcomeIsUnknown(error: unknown, depth = 0): boolean {
  if (typeof error !== "object" || error === null || depth > DEEPEST) return false;
  const { name, code, cause, errors } = error as Readonly<Record<"name" | "code" | "cause" | "errors", unknown>>;
  if (isIdempotencyError(error)) {
    return (
      error.code === "outcome_unknown" ||
      error.code === "step_interrupted" ||
      (error.code === "store_failed" && error.outcome === "unknown")
    );
  }
  if (NAMES.has(name) || CODES.has(code)) return true;
  const inner = Array.isArray(errors) ? [cause, ...errors.slice(0, DEEPEST)] : [cause];
  return inner.some((one) => outcomeIsUnknown(one, depth + 1));
}
