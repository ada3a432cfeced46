import type { IdempotencyStoreError } from "./errors.ts";

/** With these codes a request did not get as far as a connection: nobody has seen it. On one that stands, the system's call is another. */
const NEVER_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH) (?!read|write)/;

/** What of a client's error says whether the request was sent. */
interface Failed {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly $metadata?: { readonly attempts?: unknown; readonly httpStatusCode?: unknown; readonly sent?: unknown };
}

/** Whether one try ended before there was a connection. */
function gotNoConnection(error: unknown): boolean {
  const { code, syscall, $metadata } = (error ?? {}) as Failed;
  return $metadata?.sent === false || NEVER_SENT.test(`${code} ${syscall}`);
}

/**
 * Whether nobody knows what became of one try: anything but DynamoDB's own refusal, or a connection that was never made. A
 * time-out that somebody on the way tells, or a damaged answer, is no refusal, whatever its status.
 */
export function isUnheard(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as Failed;
  const isRefusal = /^4(?!08)/.test(`${$metadata?.httpStatusCode}`) && !/Timeout|Mismatch/.test(`${name}`);
  return !isRefusal && !gotNoConnection(error);
}

/** Whether an earlier sending of a request that failed may still be on its way. */
export const wasResent = (error: unknown): boolean =>
  Number((error as Failed | null | undefined)?.$metadata?.attempts) > 1;

/** Whether nobody can say if DynamoDB has seen a request that failed: of a refusal where it had been sent before, too. */
export function mayHaveArrived({ reason, outcome, cause }: IdempotencyStoreError): boolean {
  if (outcome === "unknown" || wasResent(cause)) return true;
  return (reason === "timeout" || reason === "unavailable") && !gotNoConnection(cause);
}
