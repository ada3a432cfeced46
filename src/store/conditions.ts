import { RECORD_VERSION } from "../core/record.ts";
import type { ClaimedFrom } from "../core/store.ts";
import { type EpochMillis, floorSeconds } from "../core/time.ts";
import type { Item } from "./attributes.ts";
import { EVIDENT_UNIT } from "./reader.ts";

/**
 * The conditions of the DynamoDB requests as functions, to the letter: a comparison with an absent
 * attribute, or with one of another type, is false.
 */
const numberOf = (item: Item, name: string): number => {
  const value = item[name];
  return value !== undefined && "N" in value ? Number(value.N) : Number.NaN;
};

const isText = (item: Item, name: string, expected: string): boolean => {
  const value = item[name];
  return value !== undefined && "S" in value && value.S === expected;
};

/** Nothing stands there, or an expired record whose lock, if it has one, has lapsed. */
export function isVacant(item: Item | undefined, now: EpochMillis): boolean {
  if (item === undefined) return true;
  const unlocked = !Object.hasOwn(item, "lockedUntil") || numberOf(item, "lockedUntil") <= now;
  return numberOf(item, "expiresAt") <= floorSeconds(now) && unlocked;
}

/** It is still the record that the contender has seen, released or with a lapsed lock. */
export function isSuccessible(item: Item | undefined, from: ClaimedFrom, now: EpochMillis): item is Item {
  return (
    item !== undefined &&
    isText(item, "status", from.status) &&
    isText(item, "owner", from.owner) &&
    numberOf(item, "attempt") === from.attempt &&
    (from.status !== "IN_PROGRESS" || numberOf(item, "lockedUntil") <= now)
  );
}

/** A token, or one that was given back, that has not ended and can be read, for the same request as before. */
export function isRedeemable(
  item: Item | undefined,
  { now, fingerprint }: { readonly now: EpochMillis; readonly fingerprint: string | undefined },
): item is Item {
  return (
    item !== undefined &&
    (isText(item, "status", "ISSUED") || isText(item, "status", "RELEASED")) &&
    numberOf(item, "expiresAt") > floorSeconds(now) &&
    numberOf(item, "expiresAt") <= EVIDENT_UNIT &&
    numberOf(item, "v") === RECORD_VERSION &&
    numberOf(item, "attempt") >= 0 &&
    numberOf(item, "createdAt") >= 0 &&
    "S" in Object(item["owner"]) &&
    (fingerprint === undefined || !Object.hasOwn(item, "fingerprint") || isText(item, "fingerprint", fingerprint))
  );
}

/** The claim still holds the record. */
export function isHeldBy(item: Item | undefined, owner: string): item is Item {
  return item !== undefined && isText(item, "status", "IN_PROGRESS") && isText(item, "owner", owner);
}
