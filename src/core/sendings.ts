import type { IdempotencyStoreError } from "./errors.ts";

/** With these codes a request did not get as far as a connection: nobody has seen it. */
const NEVER_SENT: ReadonlySet<unknown> = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"],
]);

/** What of a client's error says whether the request was sent. */
interface Failed {
  readonly code?: unknown;
  readonly $metadata?: { readonly attempts?: unknown };
}

/** Whether one try ended before there was a connection. */
export const gotNoConnection = (error: unknown): boolean => NEVER_SENT.has((error as Failed | null | undefined)?.code);

/** Whether an earlier sending of a request that failed may still be on its way. */
export const wasResent = (error: unknown): boolean =>
  Number((error as Failed | null | undefined)?.$metadata?.attempts) > 1;

/** Whether nobody can say if DynamoDB has seen a request that failed: of a refusal where it had been sent before, too. */
export function mayHaveArrived({ reason, outcome, cause }: IdempotencyStoreError): boolean {
  if (outcome === "unknown" || wasResent(cause)) return true;
  return (reason === "timeout" || reason === "unavailable") && !gotNoConnection(cause);
}
