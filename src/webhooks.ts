/** Signatures of webhooks: Standard Webhooks, Stripe, and pairs of headers. */

export type { WebhookEvent } from "./webhooks/body.ts";
export type { WebhookHeaders } from "./webhooks/headers.ts";
export type { SignatureOptions } from "./webhooks/options.ts";
export type { SignedHeaders } from "./webhooks/pair.ts";
export type { SignatureEncoding } from "./webhooks/scheme.ts";
export { type Delivery, type Signature, signature, type WithDelivery } from "./webhooks/signature.ts";
