import { Buffer } from "node:buffer";
import { checkNames, refuseValue } from "../core/check.ts";
import { type Duration, show, toMillis } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { type Clock, epochMillis } from "../core/time.ts";
import { pairScheme, type SignedHeaders } from "./pair.ts";
import type { Scheme } from "./scheme.ts";
import { standardScheme } from "./standard.ts";
import { stripeScheme } from "./stripe.ts";

/** Options of `signature()`. */
export interface SignatureOptions {
  /**
   * What the sender signs with: `[current, ...previous]`, of which one has to hold. A text is used as the provider shows it:
   * `whsec_...` (base64) for Standard Webhooks, the whole text for the others. At least 24 bytes for Standard Webhooks, 16 for
   * the others.
   */
  readonly secrets: readonly [string | Uint8Array, ...(string | Uint8Array)[]];
  /** How the sender signs. Default: `'standard'`, Standard Webhooks. */
  readonly scheme?: "standard" | "stripe" | SignedHeaders;
  /** What the sender's clock and ours may differ by, either way, and the time on the way. At most a day. Default: 5 minutes. */
  readonly tolerance?: Duration;
  /** The wall clock, for tests. Default: the machine's. */
  readonly clock?: Clock;
}

/** Checked options. */
export interface SignatureSettings {
  readonly scheme: Scheme;
  /** Milliseconds. */
  readonly tolerance: number;
  readonly clock: Clock;
}

const KNOWN: readonly string[] = ["secrets", "scheme", "tolerance", "clock"] satisfies (keyof SignatureOptions)[];

/** A delivery is taken for twice as long at most; its record, which refuses to run it again, has to live longer. */
const LONGEST_TOLERANCE = 86_400_000;

/**
 * Checks what a user gave to `signature()`. No secret is in a message.
 *
 * @throws IdempotencyConfigError that says what was given and what is allowed
 */
export function readSignatureOptions(given: SignatureOptions): SignatureSettings {
  checkNames("signature()", given, KNOWN);
  const { scheme = "standard", clock = systemClock } = given;
  const tolerance = toMillis(given.tolerance === undefined ? { minutes: 5 } : given.tolerance, "tolerance");
  if (tolerance > LONGEST_TOLERANCE)
    refuse(`tolerance is ${tolerance} ms; allowed is at most a day, ${LONGEST_TOLERANCE} ms`);
  if (typeof clock?.now !== "function") {
    refuseValue("clock", clock, "is { now() } that returns milliseconds since 1970");
  }
  const secrets = (length: number, read: (text: string) => Buffer | undefined, form: string): readonly Buffer[] =>
    secretsOf(given.secrets, { length, read, form });
  return {
    scheme:
      scheme === "standard"
        ? standardScheme(secrets(24, base64Secret, "base64, after 'whsec_' or without it"))
        : scheme === "stripe"
          ? stripeScheme(secrets(16, (text) => Buffer.from(text), "text"))
          : pairScheme(
              scheme,
              secrets(16, (text) => Buffer.from(text), "text"),
            ),
    tolerance,
    clock,
  };
}

const systemClock: Clock = { now: () => epochMillis(Date.now()) };

interface SecretRules {
  /** The fewest bytes. */
  readonly length: number;
  readonly read: (text: string) => Buffer | undefined;
  readonly form: string;
}

function secretsOf(given: unknown, { length, read, form }: SecretRules): readonly Buffer[] {
  const allowed = `[current, ...previous], different secrets of ${length} bytes or more each, as ${form} or bytes`;
  if (!Array.isArray(given)) return refuse(`secrets is ${kindOf(given)}; allowed is ${allowed}`);
  if (given.length === 0) return refuse(`secrets is an empty list; allowed is ${allowed}`);
  const seen = new Set<string>();
  return Array.from(given as readonly unknown[], (one, at) => {
    const wrong = (what: string): never => refuse(`secrets[${at}] is ${what}; allowed is ${allowed}`);
    if (typeof one !== "string" && !(one instanceof Uint8Array)) return wrong(kindOf(one));
    if (typeof one === "string" && one.trim() !== one) return wrong("a text with white space around it");
    // A copy: later changes of the caller's bytes do not reach it.
    const secret = typeof one === "string" ? read(one) : Buffer.from(one);
    if (secret === undefined) return wrong(`not ${form}`);
    if (secret.length < length) return wrong(`${secret.length} bytes long`);
    if (seen.has(secret.toString("hex"))) return wrong("the same as an earlier one");
    seen.add(secret.toString("hex"));
    return secret;
  });
}

/** As providers show it; `whsk_` and `whpk_` are halves of asymmetric keys, and no base64. */
function base64Secret(text: string): Buffer | undefined {
  const coded = text.startsWith("whsec_") ? text.slice("whsec_".length) : text;
  const secret = Buffer.from(coded, "base64");
  return secret.toString("base64").replace(/=+$/, "") === coded.replace(/=+$/, "") ? secret : undefined;
}

/** Never the value: it may be a secret in the wrong place. */
const kindOf = (value: unknown): string => (value === null || value === undefined ? show(value) : `a ${typeof value}`);

function refuse(sentence: string): never {
  throw new IdempotencyConfigError(sentence);
}
