import type { ClaimRequest, CompleteRequest, IdempotencyStore, ReleaseRequest } from "../core/store.ts";
import type { Clock } from "../core/time.ts";
import { type Item, number, text } from "./attributes.ts";
import { firstClaim, successor } from "./claimed.ts";
import { isHeldBy, isSuccessible, isVacant } from "./conditions.ts";
import { fromItem, resultToItem, toItem } from "./item.ts";
import { checkClock, checkNames } from "./options.ts";
import { completedSize, ITEM_LIMIT } from "./size.ts";

/** A store whose raw items can be looked at and put there. */
export interface MemoryStore extends IdempotencyStore {
  /** The items by id, as DynamoDB would hold them. Never changed in place: a write replaces the item. */
  readonly items: Map<string, Item>;
}

/**
 * A store in this process's memory, with the same conditions and the same items as DynamoDB: for tests,
 * and for trying things out. Two processes do not see each other's records, and nothing is ever deleted by age.
 *
 * @throws IdempotencyConfigError for an unknown option.
 * @example
 * const charge = idempotent(chargeCard, { store: memoryStore(), operation: "charge", key: "orderId" });
 */
export function memoryStore(options: { readonly clock?: Clock | undefined } = {}): MemoryStore {
  checkNames("memoryStore", options, ["clock"]);
  const clock = checkClock("memoryStore", options.clock);
  const items = new Map<string, Item>();
  const conflict = (id: string) => ({ outcome: "conflict", found: fromItem(items.get(id), id) }) as const;

  // Check and write stand in one turn of the event loop, without an await between: that makes them atomic.
  return {
    clock,
    items,
    async claim(request: ClaimRequest) {
      const { id, from, now } = request;
      const item = items.get(id);
      if (from === undefined) {
        if (!isVacant(item, now)) return conflict(id);
        const record = firstClaim(request);
        items.set(id, toItem(record));
        return { outcome: "claimed", record };
      }
      if (!isSuccessible(item, from, now)) return conflict(id);
      items.set(id, taken(item, request, from.attempt + 1));
      return successor(fromItem(items.get(id), id));
    },
    async complete(request: CompleteRequest) {
      const { id, owner, status, result, completedAt, expiresAt } = request;
      const bytes = completedSize(request);
      if (bytes > ITEM_LIMIT) return { outcome: "too_large", bytes, limit: ITEM_LIMIT };
      const item = items.get(id);
      if (!isHeldBy(item, owner)) return conflict(id);
      const { lockedUntil, steps, result: _, ...kept } = item;
      const times = { completedAt: number(completedAt), expiresAt: number(expiresAt) };
      items.set(id, { ...kept, status: text(status), ...resultToItem(result), ...times });
      return { outcome: "written" };
    },
    async release({ id, owner, keepUntil }: ReleaseRequest) {
      const item = items.get(id);
      if (!isHeldBy(item, owner)) return conflict(id);
      const { lockedUntil, ...kept } = item;
      if (keepUntil === undefined) items.delete(id);
      else items.set(id, { ...kept, status: text("RELEASED"), expiresAt: number(keepUntil) });
      return { outcome: "released" };
    },
    async read(id: string) {
      return fromItem(items.get(id), id);
    },
  };
}

function taken({ expiresAt: _, fingerprint: __, ...kept }: Item, request: ClaimRequest, attempt: number): Item {
  const { owner, lockedUntil, expiresAt, fingerprint } = request;
  return {
    ...kept,
    status: text("IN_PROGRESS"),
    owner: text(owner),
    attempt: number(attempt),
    lockedUntil: number(lockedUntil),
    steps: kept["steps"] ?? { M: {} },
    ...(expiresAt !== undefined && { expiresAt: number(expiresAt) }),
    ...(fingerprint !== undefined && { fingerprint: text(fingerprint) }),
  };
}
