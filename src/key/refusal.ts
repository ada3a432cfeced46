import { IdempotencyKeyMissingError, IdempotencyPrincipalMissingError } from "../core/refusals.ts";

/** The error for a part that is not there: only for a key can `whenKeyMissing: 'run'` let it pass. */
export function missing(option: string, detail: string): IdempotencyKeyMissingError | IdempotencyPrincipalMissingError {
  return option === "principal"
    ? new IdempotencyPrincipalMissingError({ detail })
    : new IdempotencyKeyMissingError({ reason: "missing", detail });
}

/** The error for a part that may be there and cannot be read. Never let pass. */
export function unreadable(
  option: string,
  detail: string,
  cause?: unknown,
): IdempotencyKeyMissingError | IdempotencyPrincipalMissingError {
  return option === "principal"
    ? new IdempotencyPrincipalMissingError({ detail, cause })
    : new IdempotencyKeyMissingError({
        reason: "unreadable",
        detail: option === "key" ? detail : `${option}: ${detail}`,
        cause,
      });
}
