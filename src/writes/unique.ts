import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import type { NativeItem, PartFacts, Write } from "../core/write.ts";
import type { Condition } from "./condition.ts";
import { absentIn, CANCELLED, type Cancelled, fateOf, grown, presentIn, setAll } from "./entity-write.ts";
import { isEqual } from "./equality.ts";
import { freeGuard, takeGuard } from "./guard-item.ts";
import { keyIn } from "./key.ts";
import { snapshot } from "./native.ts";
import { refuse } from "./options.ts";
import { type ItemPart, itemPart } from "./part.ts";
import type { AnyTable, EntityOf, ItemOf, KeyNameOf, KeyOf } from "./table.ts";
import { type Constraint, constraintsOf, type Unique, type UniqueNameOf } from "./unique-field.ts";
import type { Stale } from "./version.ts";

/** The value of a unique field belongs to another entity, or the key itself is taken. Nothing was written. */
export interface Duplicate<Key, Field extends string> {
  readonly outcome: "duplicate";
  /** The name of the unique field; for the key its attributes, with '+' between. */
  readonly field: Field;
  /** The key of the entity that has it. */
  readonly existing: Key;
}

type DuplicateOf<H extends AnyTable, U extends readonly unknown[]> = Duplicate<
  KeyOf<H>,
  UniqueNameOf<U[number]> | (H["key"] extends readonly [infer K extends string] ? K : KeyNameOf<H>)
>;
type UniqueList<T> = readonly [Unique<T>, ...Unique<T>[]];
type Previous<H extends AnyTable> = { readonly [N in keyof EntityOf<H>]?: EntityOf<H>[N] | undefined };

/** A new entity. */
export interface InsertUnique<H extends AnyTable, U extends UniqueList<EntityOf<H>>> {
  readonly table: H;
  readonly item: ItemOf<H>;
  readonly unique: U;
  readonly previous?: undefined;
}

/** An entity that is there, and is replaced. */
export interface ChangeUnique<H extends AnyTable, U extends UniqueList<EntityOf<H>>> {
  readonly table: H;
  readonly item: ItemOf<H>;
  readonly unique: U;
  /** The entity as it was read, or the part of it that must not have changed, with the unique fields and the version. */
  readonly previous: Previous<H>;
}

/** An entity that is there, and is deleted. */
export interface DeleteUnique<H extends AnyTable, U extends UniqueList<EntityOf<H>>> {
  readonly table: H;
  readonly item?: undefined;
  readonly unique: U;
  /** The entity as it was read, or its key and the part of it that must not have changed, with the unique fields. */
  readonly previous: Previous<H> & KeyOf<H>;
}

const BY = "putUnique()";

/**
 * A write that inserts an entity with `item`, replaces it with `item` and `previous`, or deletes it with `previous`,
 * so that no two entities share the value of a unique field. The entity and one guard item for each
 * unique value that comes or goes are one transaction.
 *
 * @throws IdempotencyConfigError for an empty list of unique fields, or two of one name; for an entity without its key;
 * for a partition key that is no string, where the guards are kept beside the entities
 * @example
 * const insert = putUnique({ table: orders, item: storedOrder, unique: ["orderId"] });
 * const remove = putUnique({ table: orders, previous: storedOrder, unique: ["orderId"] });
 */
export function putUnique<H extends AnyTable, const U extends UniqueList<EntityOf<H>>>(
  options: InsertUnique<H, U>,
): Write<{ readonly outcome: "inserted" } | DuplicateOf<H, U> | Cancelled>;
export function putUnique<H extends AnyTable, const U extends UniqueList<EntityOf<H>>>(
  options: ChangeUnique<H, U>,
): Write<{ readonly outcome: "changed" } | Stale<EntityOf<H>> | DuplicateOf<H, U> | Cancelled>;
export function putUnique<H extends AnyTable, const U extends UniqueList<EntityOf<H>>>(
  options: DeleteUnique<H, U>,
): Write<{ readonly outcome: "deleted" } | Stale<EntityOf<H>> | DuplicateOf<H, U> | Cancelled>;
export function putUnique(options: {
  readonly table: AnyTable;
  readonly item?: object | undefined;
  readonly unique: readonly unknown[];
  readonly previous?: object | undefined;
}): Write {
  checkNames(BY, options, ["table", "item", "unique", "previous"]);
  const { table } = options;
  const constraints = constraintsOf(options.unique);
  const item = options.item === undefined ? undefined : snapshot(options.item, `${BY}: item`);
  const previous = options.previous === undefined ? undefined : snapshot(options.previous, `${BY}: previous`);
  const key = keyOfBoth(table, item, previous);
  const writeId = { attribute: table.attributes.writeId, id: table.uniqueId() };
  const entity = entityPart(table, key, item, previous, constraints, writeId);
  const guards = constraints.flatMap((constraint) => {
    const [old, next] = [previous, item].map((one) => one && constraint.hashOf(one));
    if (old === next) return [];
    const free = old === undefined ? [] : [{ constraint, part: freeGuard(table, key, constraint.name, old) }];
    const take =
      next === undefined ? [] : [{ constraint, part: takeGuard(table, key, constraint.name, next, writeId.id) }];
    return [...free, ...take];
  });

  return {
    parts: [entity, ...guards.map(({ part }) => part)],
    outcome([ofEntity, ...ofGuards]) {
      const fate = fateOf(entity, ofEntity);
      if (fate.status === "committed") {
        return { outcome: previous === undefined ? "inserted" : item === undefined ? "deleted" : "changed" };
      }
      if (fate.status === "refused") {
        return previous === undefined
          ? { outcome: "duplicate", field: table.key.join("+"), existing: key }
          : { outcome: "stale", current: fate.found };
      }
      return taken(guards, ofGuards) ?? CANCELLED;
    },
  };
}

/** The first guard that belongs to another entity. */
function taken(
  guards: readonly { readonly constraint: Constraint; readonly part: ItemPart }[],
  facts: readonly PartFacts[],
): Duplicate<unknown, string> | undefined {
  for (const [at, { constraint, part }] of guards.entries()) {
    const fate = fateOf(part, facts[at]);
    if (fate.status === "refused") {
      return { outcome: "duplicate", field: constraint.name, existing: fate.found?.["uniqueOwner"] };
    }
  }
  return undefined;
}

/** The key of the item, which is that of the entity before. */
function keyOfBoth(table: AnyTable, item: NativeItem | undefined, previous: NativeItem | undefined): NativeItem {
  if (item === undefined && previous === undefined)
    refuse(BY, "item", "undefined", "an item, or a previous one to delete");
  const key =
    item === undefined ? keyIn(BY, "previous", table, previous as NativeItem) : keyIn(BY, "item", table, item);
  const other = table.key.find((name) => previous?.[name] !== undefined && !isEqual(previous[name], key[name]));
  if (other !== undefined) refuse(BY, "previous", `one with another ${show(other)} than the item's`, "the same entity");
  return key;
}

function entityPart(
  table: AnyTable,
  key: NativeItem,
  item: NativeItem | undefined,
  previous: NativeItem | undefined,
  constraints: readonly Constraint[],
  writeId: { readonly attribute: string; readonly id: string },
): ItemPart {
  const condition = previous === undefined ? absentIn(table) : asBefore(table, previous, constraints);
  const base = { by: BY, table: table.name, key, condition };
  if (item === undefined) return itemPart({ ...base, verb: "delete", assignments: new Map() });
  const made = [...table.key, table.version, writeId.attribute, table.attributes.contentHash];
  const content = setAll(item).filter(([name]) => !made.includes(name));
  const assignments = new Map([...content, ...grown(table, versionBefore(table, previous))]);
  return itemPart({ ...base, verb: "put", assignments, writeId });
}

/** What was given of the entity before is still so, and what it lacks of the unique fields is still lacking. */
function asBefore(table: AnyTable, previous: NativeItem, constraints: readonly Constraint[]): Condition {
  const fields = new Set(constraints.flatMap((constraint) => constraint.fields));
  const lacking = [...fields].filter((name) => !Object.hasOwn(previous, name));
  const values = Object.entries(previous).filter(([name]) => !table.key.includes(name));
  return {
    test: "all",
    of: [
      presentIn(table),
      ...values.map(([attribute, value]) => ({ test: "equals", attribute, value }) as const),
      ...lacking.map((attribute) => ({ test: "absent", attribute }) as const),
    ],
  };
}

function versionBefore({ version }: AnyTable, previous: NativeItem | undefined): number {
  if (version === undefined || previous === undefined) return 0;
  const before: unknown = previous[version];
  if (Number.isSafeInteger(before) && Number(before) > 0) return before as number;
  return refuse(BY, `previous.${version}`, show(before), "the version that was read, a whole number from 1");
}
