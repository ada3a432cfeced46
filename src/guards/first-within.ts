import { randomUUID } from "node:crypto";
import { checkNames, checkOperation, refuseValue } from "../core/check.ts";
import { decide } from "../core/decide.ts";
import { type Duration, toMillis } from "../core/duration.ts";
import { IdempotencyRecordError, IdempotencyStoreError } from "../core/errors.ts";
import type { ClaimedFrom, ClaimRequest, IdempotencyStore } from "../core/store.ts";
import { storeInUse } from "../core/store-in-use.ts";
import { after, ceilSeconds, type EpochMillis, nowOf } from "../core/time.ts";
import { recordId } from "../key/hash.ts";
import { partsText } from "../key/identity.ts";

/** What `firstWithin()` works for. */
export interface FirstWithinOptions {
  /** Where the windows are kept: `dynamoDBStore()`, `memoryStore()`. */
  readonly store: IdempotencyStore;
  /** The name of the business operation: 1 to 255 visible ASCII characters. Windows of different names never meet. */
  readonly operation: string;
  /** Whose key it is; equal keys of different principals never meet. Left out, or `false`: callers share keys. */
  readonly principal?: unknown;
}

/** Whether this call is the first one; `until`: when the window ends, in milliseconds since 1970. */
export type FirstWithin =
  | { readonly outcome: "first"; readonly until: EpochMillis }
  | { readonly outcome: "duplicate"; readonly until: EpochMillis };

/** How often a record may change under our hands. */
const MOST_ROUNDS = 3;

/**
 * Lets the first call of a key pass and tells all others, until the window ends, that they are duplicates: a double
 * click, a burst. Nothing of the result is kept, and nothing is given back when what follows fails: the next call passes when
 * the window has ended, and its own window begins then.
 *
 * One conditional write; a second one in the last second of a window's item. Of calls at the same time exactly one passes.
 * Where the caller must get the first one's answer, or a failed first call must not block the next, use `idempotent()`.
 *
 * @param key Any JSON value: one value, or a list of parts, none of which may be missing.
 * @throws IdempotencyConfigError for options or a window that are wrong
 * @throws IdempotencyKeyMissingError and IdempotencyPrincipalMissingError for a key or a principal that is missing
 * @throws IdempotencyStoreError where the store fails: it is not known then whether this call is the first
 *
 * @example
 * const { outcome } = await firstWithin({ store, operation: "resend-mail" }, order.id, { seconds: 10 });
 * if (outcome === "first") await sendMail(order);
 */
export async function firstWithin(options: FirstWithinOptions, key: unknown, window: Duration): Promise<FirstWithin> {
  const { store: own, id } = read(options, key);
  const store = storeInUse(own);
  const length = toMillis(window, "window");
  const owner = randomUUID();
  let from: ClaimedFrom | undefined;

  for (let round = 0; round < MOST_ROUNDS; round++) {
    const now = nowOf(store.clock);
    const until = after(now, length);
    const answer = await claim(store, {
      id,
      owner,
      now,
      lockedUntil: until,
      expiresAt: ceilSeconds(until),
      fingerprint: undefined,
      ...(from && { from }),
    });
    if (answer.outcome === "claimed") return { outcome: "first", until };
    if (answer.outcome === "busy") continue;
    const { found } = answer;
    // The response of our own claim was lost and a retry below us met its own work.
    if (found?.status === "IN_PROGRESS" && found.owner === owner) return { outcome: "first", until: found.lockedUntil };
    const decision = decide(found, undefined, now, { whenCompleted: "reject", whenAbandoned: "rerun" });
    if (decision.do === "yield") return { outcome: "duplicate", until: after(now, decision.lockEndsIn) };
    if (decision.do !== "create" && decision.do !== "succeed") {
      const detail = "reason" in decision ? decision.reason : "it is the record of an operation, not of a window";
      throw new IdempotencyRecordError({ id, detail });
    }
    from = decision.do === "succeed" ? decision.from : undefined;
  }
  const detail = `the window's item changed or was busy ${MOST_ROUNDS} times in a row`;
  throw new IdempotencyStoreError({ reason: "unavailable", detail });
}

/** Where the claim fails it may have been written all the same: one best effort to take it back. */
async function claim(store: IdempotencyStore, request: ClaimRequest): ReturnType<IdempotencyStore["claim"]> {
  try {
    return await store.claim(request);
  } catch (error) {
    await store.release({ id: request.id, owner: request.owner, keepUntil: undefined }).catch(() => undefined);
    throw error;
  }
}

function read(options: FirstWithinOptions, key: unknown): { readonly store: IdempotencyStore; readonly id: string } {
  checkNames("firstWithin()", options, ["store", "operation", "principal"]);
  const { store, principal } = options;
  if (typeof store?.claim !== "function" || typeof store.clock?.now !== "function") {
    refuseValue("store", store, "is dynamoDBStore(), memoryStore() or another IdempotencyStore");
  }
  const operation = checkOperation(options.operation);
  const source = "firstWithin() is given";
  // Its own kind of key: a window never meets a record of `idempotent()` under the same operation and key.
  const keyText = `first-within:${partsText(key, "key", false, source)}`;
  // One that is given and `undefined` is missing: callers without a name must not share their keys.
  const shared = !("principal" in options) || principal === false;
  const who = shared ? undefined : partsText(principal, "principal", false, source);
  return { store, id: recordId({ operation, principal: who, key: keyText }) };
}
