import { randomBytes, timingSafeEqual } from "node:crypto";
import { show } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { IdempotencyTokenError } from "../core/refusals.ts";
import type { EpochSeconds } from "../core/time.ts";
import { type Secret, sealOf, validateSecrets } from "../key/hash.ts";

/** Whose token it is, and for what. */
export interface TokenFacts {
  readonly operation: string;
  /** Canonical JSON; `undefined`: callers share tokens. */
  readonly principal: string | undefined;
}

/** What a token holds: the record's key, and when it ends. */
export interface TokenContents {
  readonly key: string;
  readonly until: EpochSeconds;
}

/** What `token()` makes: the `key` of `http()`. */
export interface Token {
  readonly name: "one-time token";
  /**
   * What the token holds, where it was issued for these facts. Touches no table.
   *
   * @throws IdempotencyTokenError for all others, which are not told apart
   */
  redeem(token: string, facts: TokenFacts): TokenContents;
}

/** The options of `token()`. */
export interface TokenOptions {
  /** What `issueToken()` was given: the current secret first, then previous ones. 32 bytes or more each. */
  readonly secrets: readonly [Secret, ...Secret[]];
}

/** Bytes of chance in a token: it is the key, of which the table holds a hash alone. */
const RANDOM = 24;
/** Characters: 24 random bytes, 6 of the end, 32 of the seal. */
const SHAPE = /^([\w-]{32})([\w-]{8})([\w-]{43})$/;

/**
 * Makes a one-time token the key: the request has to carry, in the header `Idempotency-Key`, a token that `issueToken()`
 * has issued for the same operation and the same principal. It is redeemed in one request, before the handler runs; one
 * that was used is answered with its result (or 409 under `whenCompleted: 'reject'`), one that is forged or another's is
 * refused with 403 without a look at the table, one that is missing with 400. A failure that is not remembered
 * gives the token back; a crash keeps it until the lock lapses.
 *
 * @throws IdempotencyConfigError at once for secrets that are wrong
 *
 * @example
 * export const handler = idempotent(
 *   async (event: HttpEvent) => ({ statusCode: 201, body: JSON.stringify(await createOrder(JSON.parse(String(event.body)))) }),
 *   {
 *     store: dynamoDBStore(),
 *     operation: "place-order",
 *     binding: http({ principal: jwtPrincipal(), key: token({ secrets: [process.env["TOKEN_SECRET"] ?? ""] }) }),
 *   },
 * );
 */
export function token(options: TokenOptions): Token {
  const secrets = secretsOf("token()", options, ["secrets"]);
  return Object.freeze({
    name: "one-time token",
    redeem(given: string, facts: TokenFacts): TokenContents {
      const [, key = "", end = "", seal = ""] = SHAPE.exec(given) ?? [];
      let holds = false;
      for (const secret of secrets) holds = isEqual(seal, sealFor(key, end, facts, secret)) || holds;
      if (!holds) throw new IdempotencyTokenError({ reason: "foreign" });
      return { key, until: Buffer.from(end, "base64url").readUIntBE(0, 6) as EpochSeconds };
    },
  });
}

/** A new token that ends at `until`, and the key in it. */
export function newToken(until: EpochSeconds, facts: TokenFacts, secret: Secret): { token: string; key: string } {
  const key = randomBytes(RANDOM).toString("base64url");
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(until, 0, 6);
  const end = bytes.toString("base64url");
  return { token: key + end + sealFor(key, end, facts, secret), key };
}

const sealFor = (key: string, end: string, { operation, principal }: TokenFacts, secret: Secret): string =>
  sealOf(["one-time token", operation, principal, key, end], secret);

/** In constant time. */
function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The secrets of checked options. */
export function secretsOf(by: string, options: object, names: readonly string[]): readonly Secret[] {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new IdempotencyConfigError(`${by} was given ${show(options)}; allowed is an object with ${names.join(", ")}`);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new IdempotencyConfigError(`${by} has no option ${show(unknown)}; allowed are ${names.join(", ")}`);
  }
  const secrets = validateSecrets((options as { secrets?: unknown }).secrets, "secrets");
  if (secrets !== undefined) return secrets;
  throw new IdempotencyConfigError(
    `${by}: secrets is not given; allowed is [current, ...previous], different strings or Uint8Arrays of 32 bytes or more each`,
  );
}
