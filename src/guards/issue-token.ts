import { randomUUID } from "node:crypto";
import { checkOperation, refuseValue } from "../core/check.ts";
import { type Duration, toMillis } from "../core/duration.ts";
import { IdempotencyStoreError } from "../core/errors.ts";
import type { IdempotencyStore } from "../core/store.ts";
import { storeInUse } from "../core/store-in-use.ts";
import { after, ceilSeconds, nowOf } from "../core/time.ts";
import { recordId, type Secret, validateSecrets } from "../key/hash.ts";
import { partsText, partText } from "../key/identity.ts";
import { newToken, secretsOf } from "./token.ts";

/** What a token is issued for. */
export interface IssueTokenOptions {
  /** The store of the operation that redeems it. */
  readonly store: IdempotencyStore;
  /** The name of the operation that redeems it. */
  readonly operation: string;
  /** Who may redeem it: what the operation's `principal` gives for this caller. `false`: whoever has it. */
  readonly principal: unknown;
  /** How long it may be redeemed. Its answer is kept for the operation's own `expiresAfter` after that. */
  readonly expiresAfter: Duration;
  /** The first one seals the token. 32 bytes or more each; the same as those of `token()`. */
  readonly secrets: readonly [Secret, ...Secret[]];
  /** The operation's option `secret`, where it has one. */
  readonly secret?: readonly [Secret, ...Secret[]] | undefined;
}

const NAMES = ["store", "operation", "principal", "expiresAfter", "secrets", "secret"];
const MOST_TRIES = 3;

/**
 * Issues a one-time token for one operation of one caller: an opaque, URL-safe string of 83 characters with 192 random bits, of
 * which the table gets a hash. One request.
 *
 * @throws IdempotencyConfigError for options that are wrong
 * @throws IdempotencyPrincipalMissingError where the principal is missing
 * @throws IdempotencyStoreError where the store fails: no token was given out
 *
 * @example
 * const oneTime = await issueToken({
 *   store,
 *   operation: "place-order",
 *   principal: "cus-7Qm3",
 *   expiresAfter: { minutes: 15 },
 *   secrets: [process.env["TOKEN_SECRET"] ?? ""],
 * });
 */
export async function issueToken(options: IssueTokenOptions): Promise<string> {
  const BY = "issueToken()";
  const [secret] = secretsOf(BY, options, NAMES) as readonly [Secret];
  const operation = checkOperation(options.operation, `${BY}: `);
  const store = options.store && storeInUse(options.store);
  const issue = store?.issue;
  if (issue === undefined) {
    return refuseValue(`${BY}: store`, store, "is a store that issues tokens: dynamoDBStore(), memoryStore()");
  }
  const lifetime = toMillis(options.expiresAfter, "expiresAfter");
  const [hashed] = validateSecrets(options.secret) ?? [];
  const principal =
    options.principal === false
      ? undefined
      : partsText(options.principal, "principal", false, "the option principal has");

  for (let round = 0; round < MOST_TRIES; round++) {
    const now = nowOf(store.clock);
    const until = ceilSeconds(after(now, lifetime));
    const { token, key } = newToken(until, { operation, principal }, secret);
    const id = recordId({ operation, principal, key: partText(key, "key"), secret: hashed });
    const owner = randomUUID();
    const answer = await issue.call(store, { id, owner, now, expiresAt: until });
    if (answer.outcome === "issued") return token;
    // The response was lost, and a retry below us met its own work.
    if (answer.outcome === "conflict" && answer.found?.status === "ISSUED" && answer.found.owner === owner)
      return token;
  }
  throw new IdempotencyStoreError({ reason: "unavailable", detail: `no token could be issued in ${MOST_TRIES} tries` });
}
