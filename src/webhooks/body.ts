import { Buffer } from "node:buffer";
import { IdempotencyConfigError } from "../core/errors.ts";
import { kindOf } from "../core/plain.ts";
import { malformed, type WebhookHeaders } from "./headers.ts";

/**
 * What of an event is verified. The events of API Gateway (payload 1.0 and 2.0), function URLs and load balancers fit,
 * and whatever else has headers and a body.
 */
export interface WebhookEvent {
  readonly headers?: WebhookHeaders | null | undefined;
  readonly multiValueHeaders?: WebhookHeaders | null | undefined;
  /** Text as it came, base64 where `isBase64Encoded` says so. */
  readonly body?: unknown;
  /** The body as it came, kept by a hook that runs before a body parser. */
  readonly rawBody?: unknown;
  readonly isBase64Encoded?: boolean | undefined;
}

/**
 * The bytes that the sender has signed.
 *
 * @throws IdempotencySignatureError for what says that it is base64 and is not
 * @throws IdempotencyConfigError where a parser has replaced the bytes
 */
export function signedBytes({ body, rawBody, isBase64Encoded }: WebhookEvent): Uint8Array {
  const given = rawBody ?? body;
  if (given === undefined || given === null) return new Uint8Array();
  if (given instanceof Uint8Array) return given;
  if (typeof given !== "string") {
    throw new IdempotencyConfigError(
      `the body is ${kindOf(given)}: it was parsed before its signature was verified; verify before the body parser, or keep the text in event.rawBody`,
    );
  }
  if (isBase64Encoded !== true) return bytesOf(given);
  const bytes = Buffer.from(given, "base64");
  // What decodes to the same bytes by another spelling may be read as others by what comes after us.
  if (bytes.toString("base64") !== given) throw malformed("the body is not the base64 that the event says it is");
  return bytes;
}

/**
 * The bytes of a body that is a text or bytes already.
 *
 * @throws IdempotencySignatureError for a text with half a character in it: many such texts are one in UTF-8
 */
export function bytesOf(body: string | Uint8Array): Uint8Array {
  if (typeof body !== "string") return body;
  if (/\p{Surrogate}/u.test(body)) throw malformed("the body holds half a surrogate pair");
  return Buffer.from(body, "utf8");
}

/** The text of bytes, from which the same bytes come again; `undefined` where they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
