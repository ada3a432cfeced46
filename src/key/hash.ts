import { createHmac, hash } from "node:crypto";
import { show } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";

/** What a hash is keyed with: 32 bytes or more, checked by `validateSecrets`. */
export type Secret = string | Uint8Array;

/** What a record is found by. `principal` and `key` are canonical JSON texts. */
export interface RecordIdentity {
  /** The name of the business operation. */
  readonly operation: string;
  /** `undefined`: callers share keys; differs from every principal. */
  readonly principal: string | undefined;
  readonly key: string;
  /** With it the id is an HMAC, so that keys of few possible values cannot be guessed from the table. */
  readonly secret?: Secret | undefined;
}

/**
 * The id of one key's record: `<operation>#<base64url of SHA-256>`, HMAC-SHA-256 with a `secret`.
 *
 * Each part goes in with its length before it, so that `a#b`, `c` and `a`, `b#c` never meet.
 *
 * @example
 * recordId({ operation: "place-order", principal: canonicalJson("tenant-1"), key: canonicalJson("o-1") });
 */
export function recordId({ operation, principal, key, secret }: RecordIdentity): string {
  const who = principal === undefined ? "-" : sized(principal);
  return `${operation}#${digest(`id:${sized(operation)}${who}${sized(key)}`, secret)}`;
}

/**
 * What of a request is stored to tell another request under the same key from a duplicate: base64url of
 * SHA-256 of its canonical text, HMAC-SHA-256 with a `secret`. Never equal to a record's hash.
 */
export function fingerprintHash(canonical: string, secret?: Secret): string {
  return digest(`fingerprint:${canonical}`, secret);
}

/**
 * A text that nobody can make for these parts without the secret, base64url of HMAC-SHA-256. Never equal to a record's
 * hash.
 *
 * @example
 * sealOf(["place-order", canonicalJson("cus-1")], secret);
 */
export function sealOf(parts: readonly (string | undefined)[], secret: Secret): string {
  const sealed = parts.map((part) => (part === undefined ? "-" : sized(part))).join("");
  return digest(`seal:${sealed}`, secret);
}

/**
 * The secrets of the option `secret: [current, ...previous]`, as a copy that later changes cannot reach.
 *
 * @throws IdempotencyConfigError for anything but a list of different strings or Uint8Arrays of 32 bytes or
 * more (M2). No secret is in the message.
 */
export function validateSecrets(secret: unknown, name = "secret"): readonly Secret[] | undefined {
  if (secret === undefined) return undefined;
  const allowed = "[current, ...previous], different strings or Uint8Arrays of 32 bytes or more each";
  if (!Array.isArray(secret))
    throw new IdempotencyConfigError(`${name} is ${kindOfOption(secret)}; allowed is ${allowed}`);
  if (secret.length === 0) throw new IdempotencyConfigError(`${name} is an empty list; allowed is ${allowed}`);
  const seen = new Set<string>();
  const secrets = Array.from(secret as readonly unknown[], (one, at) => {
    const refuse = (what: string): never => {
      throw new IdempotencyConfigError(`${name}[${at}] is ${what}; allowed is ${allowed}`);
    };
    if (typeof one !== "string" && !(one instanceof Uint8Array)) return refuse(kindOfOption(one));
    const bytes = Buffer.from(one as Uint8Array);
    if (bytes.length < 32) return refuse(`${bytes.length} bytes long`);
    const text = bytes.toString("base64");
    if (seen.has(text)) return refuse("the same as an earlier one");
    seen.add(text);
    return typeof one === "string" ? one : new Uint8Array(bytes);
  });
  return Object.freeze(secrets);
}

const kindOfOption = (value: unknown): string =>
  value === null || value === undefined ? show(value) : `a ${typeof value}`;

/** Netstring form: the length in bytes of UTF-8, then the text. */
const sized = (text: string): string => `${Buffer.byteLength(text)}:${text}`;

function digest(text: string, secret: Secret | undefined): string {
  if (secret !== undefined) return createHmac("sha256", secret).update(text).digest("base64url");
  // One shot: half the time of createHash for short texts (0.3 against 0.65 us), a tenth less for 5 kB.
  return hash("sha256", text, "base64url");
}
