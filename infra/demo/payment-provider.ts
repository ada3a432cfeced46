import { IdempotencyOutcomeUnknownError } from "lambda-once";

/** What the provider answers. */
export interface Charge {
  readonly chargeId: string;
}

/** The provider says for certain that it has not charged and will not. */
export class ChargeRefusedError extends Error {}

/**
 * Asks the payment provider for money. It honours idempotency keys: asked twice with the same one it charges once.
 *
 * @throws ChargeRefusedError where it has not; IdempotencyOutcomeUnknownError where nobody knows
 */
export async function charge(
  order: { readonly orderId: string; readonly amount: number },
  { idempotencyKey, signal }: { readonly idempotencyKey: string; readonly signal: AbortSignal },
): Promise<Charge> {
  const response = await fetch(`${process.env["PAYMENT_PROVIDER_URL"]}/charges`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
    body: JSON.stringify(order),
    signal,
  });
  if (response.status === 402) throw new ChargeRefusedError("the provider refused the charge");
  // A 429 says nothing of the attempt before it.
  if (!response.ok) throw new IdempotencyOutcomeUnknownError(`the provider answered ${response.status}`);
  return (await response.json()) as Charge;
}
