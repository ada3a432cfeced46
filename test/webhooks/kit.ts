import { createHmac } from "node:crypto";
import { IdempotencySignatureError } from "../../src/core/refusals.ts";
import { type Clock, epochMillis } from "../../src/core/time.ts";
import { type Signature, type SignatureOptions, signature } from "../../src/webhooks.ts";

/** The time at which these tests run, in seconds, and a clock that stands there. */
export const NOW = 1_800_000_000;
export const at = (seconds: number): Clock => ({ now: () => epochMillis(seconds * 1000) });

/** The secret of the Standard Webhooks' own tests. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const OTHER = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
/** Of the schemes whose secrets are texts. */
export const TEXT_SECRET = "a secret of 29 characters or so";
export const BODY = '{"id":"evt_1","type":"order.paid","amount":12}';

export const hmac = (secret: string | Buffer, text: string | Buffer, encoding: "hex" | "base64" = "hex"): string =>
  createHmac("sha256", secret).update(text).digest(encoding);

/** The headers of a delivery by Standard Webhooks, signed by Node's own HMAC. */
export function standard(
  body: string | Buffer = BODY,
  { id = "msg_1", seconds = NOW, secret = SECRET }: { id?: string; seconds?: number | string; secret?: string } = {},
): Record<string, string> {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const text = Buffer.concat([Buffer.from(`${id}.${seconds}.`), Buffer.from(body as Buffer)]);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${hmac(key, text, "base64")}`,
  };
}

/** The header of a delivery by Stripe. */
export const stripe = (body = BODY, seconds: number | string = NOW, secret = TEXT_SECRET): Record<string, string> => ({
  "stripe-signature": `t=${seconds},v1=${hmac(secret, `${seconds}.${body}`)}`,
});

/** `signature()` at NOW, with the test's secret. */
export const verifier = (more: Partial<SignatureOptions> = {}): Signature =>
  signature({ secrets: [SECRET], clock: at(NOW), ...more });

/** Why a delivery is refused; fails where it is not, or not for its signature. */
export function reasonOf(verify: () => unknown): string {
  try {
    verify();
  } catch (error) {
    if (error instanceof IdempotencySignatureError) return error.reason;
    throw error;
  }
  throw new Error("the delivery was not refused");
}
