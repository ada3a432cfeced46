import { show } from "../core/duration.ts";
import { isPlainObject, kindOf } from "../core/plain.ts";
import type { NativeItem } from "../core/write.ts";
import { snapshot } from "./native.ts";
import { refuse } from "./options.ts";
import type { AnyTable } from "./table.ts";

/** No entity's partition key begins so: guard items and events do, beside the entities. */
const RESERVED = "lambda-once:";

/** Whether a key's part is of an item that is no entity. */
export const isReserved = (part: unknown): boolean => typeof part === "string" && part.startsWith(RESERVED);

/** The partition key of an item that is no entity. */
export const reservedId = (kind: string, id: string): string => `${RESERVED}${kind}#${id}`;

/**
 * The primary key that was given, and nothing else.
 *
 * @throws IdempotencyConfigError for a key that lacks an attribute, has another one, or holds what cannot be a key
 */
export function checkedKey(by: string, table: AnyTable, key: unknown): NativeItem {
  const allowed = `an object of ${table.key.join(" and ")}`;
  if (!isPlainObject(key)) refuse(by, "key", kindOf(key), allowed);
  const foreign = Object.keys(key).find((name) => !table.key.includes(name));
  if (foreign !== undefined) refuse(by, "key", `one with ${show(foreign)}`, allowed);
  return keyIn(by, "key", table, key);
}

/**
 * The primary key of an item.
 *
 * @throws IdempotencyConfigError for an item without its key
 */
export function keyIn(
  by: string,
  option: string,
  table: AnyTable,
  item: Readonly<Record<string, unknown>>,
): NativeItem {
  const values = table.key.map((name, at) => {
    const value = Object.hasOwn(item, name) ? item[name] : undefined;
    if (!canBeKey(value)) {
      refuse(by, `${option}.${name}`, show(value), "a key: a string or a Uint8Array that is not empty, or a number");
    }
    if (at === 0 && isReserved(value)) {
      refuse(
        by,
        `${option}.${name}`,
        `one that begins with '${RESERVED}'`,
        "any other: these are for guards and events",
      );
    }
    return [name, value] as const;
  });
  return snapshot(Object.fromEntries(values), `${by}: ${option}`);
}

function canBeKey(value: unknown): boolean {
  if (typeof value === "string") return value !== "";
  if (value instanceof Uint8Array) return value.length > 0;
  return typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value));
}

/** The key, in an entities' table, of an item that is no entity: under a partition key that no entity has. */
export function reservedKey(table: AnyTable, kind: string, id: string, sortKey: unknown): NativeItem {
  const [partition, sort] = table.key as readonly [string, string?];
  const key = { [partition]: reservedId(kind, id) };
  return sort === undefined ? key : { ...key, [sort]: sortKeyLike(sortKey, kind) };
}

/** A table's sort keys are of one type. */
function sortKeyLike(sortKey: unknown, kind: string): unknown {
  if (typeof sortKey === "number" || typeof sortKey === "bigint") return 0;
  return sortKey instanceof Uint8Array ? Uint8Array.of(0) : `${RESERVED}${kind}`;
}
