import type { NativeItem, PartFacts } from "../core/write.ts";
import { type Condition, holds } from "./condition.ts";
import type { Assignment, ItemWrite } from "./item-write.ts";
import { type ItemPart, itemPart } from "./part.ts";
import type { AnyTable } from "./table.ts";

/** Another write of the same commit was refused: nothing was written, and nothing was wrong with this one. */
export interface Cancelled {
  readonly outcome: "cancelled";
}
export const CANCELLED: Cancelled = Object.freeze({ outcome: "cancelled" });

/** A part that puts or updates an item of a table; its id is left in the item. */
export function entityPart(
  table: AnyTable,
  write: Pick<ItemWrite, "by" | "verb" | "key" | "condition" | "mayRepeat"> & {
    readonly assignments: Iterable<readonly [string, Assignment]>;
  },
): ItemPart {
  const writeId = { attribute: table.attributes.writeId, id: table.uniqueId() };
  return itemPart({ ...write, table: table.name, assignments: new Map(write.assignments), writeId });
}

/** What became of a part: committed, cancelled by another one, or refused on `found` by a condition of its own. */
export type Fate =
  | { readonly status: "committed" }
  | { readonly status: "cancelled" }
  | { readonly status: "refused"; readonly found: NativeItem | undefined };

/**
 * Where two writes have met on one item, the one whose own condition holds there was not refused: the other was.
 */
export function fateOf(part: ItemPart, facts: PartFacts | undefined): Fate {
  if (facts?.status === "committed") return { status: "committed" };
  if (facts?.status !== "refused" || facts.reason !== "ConditionalCheckFailed") return { status: "cancelled" };
  return holds(part.write.condition, facts.found) ? { status: "cancelled" } : { status: "refused", found: facts.found };
}

/** Each attribute set to its value. */
export const setAll = (item: NativeItem): [string, Assignment][] =>
  Object.entries(item).map(([name, value]) => [name, { op: "set", value }]);

/** The version grows where the table has one. */
export const grown = (table: AnyTable, from?: number): [string, Assignment][] =>
  table.version === undefined ? [] : [[table.version, { op: "grow", from }]];

/** Nothing stands under the key. */
export const absentIn = (table: AnyTable): Condition => ({ test: "absent", attribute: table.key[0] as string });
/** Something does. */
export const presentIn = (table: AnyTable): Condition => ({ test: "exists", attribute: table.key[0] as string });
