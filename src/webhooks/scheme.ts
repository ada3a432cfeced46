import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { HeaderValues } from "./headers.ts";

/** What the headers of a delivery claim, before any of it is believed. */
export interface Claimed {
  /** As it was sent. */
  readonly timestamp: string;
  /** Where the id is a header that is signed, too. */
  readonly id?: string;
  /** Those that are HMAC-SHA-256 by their form; one that holds is enough. */
  readonly signatures: readonly Uint8Array[];
}

/** How one family of senders signs. */
export interface Scheme {
  /**
   * Reads the headers.
   *
   * @throws IdempotencySignatureError for those that are missing or cannot be signatures
   */
  read(headers: HeaderValues): Claimed;
  /** What the signature has to be, for each of the secrets in turn. */
  expected(claimed: Claimed, body: Uint8Array): Iterable<Uint8Array>;
  /** What identifies the delivery, from signed content alone. Called once the signature has held. */
  idOf(claimed: Claimed, body: Uint8Array): string;
}

/** How the bytes of a signature are spelled in its header. */
export type SignatureEncoding = "hex" | "base64";

const DIGEST = 32;

/** The bytes of a signature; `undefined` for what is no HMAC-SHA-256: other lengths, other digits, another spelling. */
export function digestOf(text: string, encoding: SignatureEncoding): Uint8Array | undefined {
  const bytes = Buffer.from(text, encoding);
  const spelled = encoding === "hex" ? text.toLowerCase() : text;
  return bytes.length === DIGEST && bytes.toString(encoding) === spelled ? bytes : undefined;
}

/** HMAC-SHA-256 of `before` and the body, by each secret. */
export function* hmacs(secrets: readonly Uint8Array[], before: string, body: Uint8Array): Generator<Uint8Array> {
  for (const secret of secrets) yield createHmac("sha256", secret).update(before).update(body).digest();
}
