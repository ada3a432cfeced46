import { timingSafeEqual } from "node:crypto";
import type { Duration } from "../core/duration.ts";
import { IdempotencySignatureError } from "../core/refusals.ts";
import { type EpochSeconds, floorSeconds, nowOf } from "../core/time.ts";
import { bytesOf, signedBytes, type WebhookEvent } from "./body.ts";
import { type HeaderValues, malformed, readHeaders, type WebhookHeaders } from "./headers.ts";
import { readSignatureOptions, type SignatureOptions } from "./options.ts";

/** A delivery whose signature has held. */
export interface Delivery {
  /** What the sender calls it, from signed content: the same each time that it is delivered again. */
  readonly id: string;
  /** When it was signed, in whole seconds since 1970. */
  readonly timestamp: EpochSeconds;
}

/** Adds the delivery to a handler's context: `async (event, context: WithDelivery<Context>) => ...`. */
export type WithDelivery<Context> = Context & { readonly delivery: Delivery };

/** What `signature()` makes: a function of bytes and headers, the `key` of `http()`, and a Middy middleware. */
export interface Signature {
  /** Verifies the bytes of a body, as they came. */
  (body: string | Uint8Array, headers: WebhookHeaders): Delivery;
  /** Verifies an event and gives the delivery's id: the `key` of `http()` or of an operation. */
  (event: WebhookEvent, ...rest: readonly unknown[]): string;
  /** The hook of Middy, before body parsers: the handler finds the delivery at `context.delivery`. */
  // biome-ignore lint/suspicious/noExplicitAny: Middy's own request type has these as type parameters
  before(request: { event: any; context: any }): void;
  /** Tells `http()` to ask for every request, whatever its method, and also where an option stands in the key's place. */
  readonly verifies: true;
  /** How long `http()` keeps a delivery's answer by default: providers redeliver for days. */
  readonly expiresAfter: Duration;
}

/**
 * Verifies that a delivery comes from who has the secret, lately, and as it was sent; then says which delivery it is, so that
 * one that is delivered again is answered and not carried out again. Reads raw bytes, before any parsing, compares in constant
 * time, and touches no table.
 *
 * As the `key` of `http()` it refuses with 401 (`signature_invalid`) before anything is written, claims requests of every method,
 * and keeps answers for 15 days. As a Middy middleware it throws the same error: use it before body parsers.
 *
 * @throws IdempotencyConfigError at once for options that are wrong; at the call for a body that was parsed before.
 * The function throws IdempotencySignatureError for what is not signed as it has to be, and IdempotencyKeyMissingError where the
 * body is signed and lacks the id that is looked for in it.
 *
 * @example
 * export const handler = idempotent(
 *   async (event: HttpEvent) => {
 *     await place(JSON.parse(String(event.body)).order);
 *     return { statusCode: 204 };
 *   },
 *   {
 *     store,
 *     operation: "payment-webhook",
 *     binding: http({ principal: false, key: signature({ secrets: [process.env["WEBHOOK_SECRET"] ?? ""] }) }),
 *   },
 * );
 */
export function signature(options: SignatureOptions): Signature {
  const { scheme, tolerance, clock } = readSignatureOptions(options);

  function verified(headers: HeaderValues, body: Uint8Array): Delivery {
    const claimed = scheme.read(headers);
    const timestamp = secondsOf(claimed.timestamp);
    const age = floorSeconds(nowOf(clock)) - timestamp;
    // Before the hash: what is too old or too new costs nothing. Refused, too, by a clock that tells no time.
    if (!(Math.abs(age) * 1000 <= tolerance)) throw outOfTime(age);
    let holds = false;
    for (const expected of scheme.expected(claimed, body)) {
      for (const given of claimed.signatures) holds = timingSafeEqual(expected, given) || holds;
    }
    if (!holds) {
      throw new IdempotencySignatureError({ reason: "mismatch", detail: "no secret gives a signature of the request" });
    }
    return Object.freeze({ id: scheme.idOf(claimed, body), timestamp });
  }

  const ofEvent = (event: WebhookEvent): Delivery => {
    const given = Object(event) as WebhookEvent;
    return verified(readHeaders(given.headers, given.multiValueHeaders), signedBytes(given));
  };

  function verify(body: string | Uint8Array, headers: WebhookHeaders): Delivery;
  function verify(event: WebhookEvent): string;
  function verify(given: string | Uint8Array | WebhookEvent, headers?: WebhookHeaders): Delivery | string {
    const isBody = typeof given === "string" || given instanceof Uint8Array;
    return isBody ? verified(readHeaders(headers), bytesOf(given)) : ofEvent(given).id;
  }

  return Object.freeze(
    Object.assign(verify, {
      before: function signatureBefore(request: { event: unknown; context: object }): void {
        Object.assign(request.context, { delivery: ofEvent(request.event as WebhookEvent) });
      },
      verifies: true as const,
      expiresAfter: Object.freeze({ days: 15 }),
    }),
  );
}

/** Whole seconds in their one spelling: `1e9`, ` 123 `, `0x10` and `0123` are none, whatever they are to a parser. */
function secondsOf(text: string): EpochSeconds {
  if (!/^(?:0|[1-9]\d{0,11})$/.test(text)) throw malformed("the timestamp is not whole seconds since 1970");
  return Number(text) as EpochSeconds;
}

function outOfTime(age: number): IdempotencySignatureError {
  return age > 0
    ? new IdempotencySignatureError({ reason: "too_old", detail: `the timestamp is ${age} s old` })
    : new IdempotencySignatureError({ reason: "too_new", detail: `the timestamp is ${-age} s in the future` });
}
