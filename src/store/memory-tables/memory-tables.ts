import { show } from "../../core/duration.ts";
import { isPlainObject } from "../../core/plain.ts";
import type { NativeItem, WriteAction } from "../../core/write.ts";
import { compileAction } from "./action.ts";
import { type Fail, failAt } from "./fail.ts";
import { checkItem, checkKey, keyOf, placeOf } from "./keys.ts";
import { type Attributes, copyMap, copyOut } from "./values.ts";

/** What a table is: the names of its key's attributes, partition key first. */
export interface MemoryTable {
  readonly key: readonly [string] | readonly [string, string];
}

/** What became of a transaction: all of it, or nothing. */
export type TransactOutcome =
  | { readonly committed: true }
  | {
      readonly committed: false;
      /** By the index of the action: the item on which its condition failed; `undefined` where it held. */
      readonly refusals: readonly ({ readonly found: NativeItem | undefined } | undefined)[];
    };

/** Tables in this process's memory. What goes in and what comes out are copies. */
export interface MemoryTables {
  /** The items of a table, in native values, in the order in which they first came. */
  items(table: string): readonly NativeItem[];
  /** The item of this key; `undefined` where there is none. */
  get(table: string, key: NativeItem): NativeItem | undefined;
  /** Puts an item without any condition, for a test's set-up. */
  put(table: string, item: NativeItem): void;
  /**
   * Carries out all of the actions or none, in one turn of the event loop.
   *
   * @throws IdempotencyConfigError for what DynamoDB would refuse as invalid, whether or not it depends on the items;
   * nothing is written then
   */
  transact(actions: readonly WriteAction[]): TransactOutcome;
}

/**
 * Tables in this process's memory that evaluate DynamoDB's conditions and updates, so that functions with writes can be
 * tested without DynamoDB. An expression that DynamoDB would refuse, reserved words and unused placeholders
 * included, is an error that names the place in it. Numbers are added in decimals, as DynamoDB does.
 *
 * Of the limits it knows those of an item, an expression and a number, not those of a whole request; of an item's size
 * only the bytes of names, texts and binaries count, and the types of key attributes are not fixed for a table.
 *
 * @throws IdempotencyConfigError for a definition that is no table
 * @example
 * import { memoryTables } from "lambda-once/testing";
 *
 * const tables = memoryTables({ orders: { key: ["id"] }, audit: { key: ["tenant", "at"] } });
 * tables.put("orders", { id: "o-1", state: "open" });
 * tables.transact([
 *   {
 *     Update: {
 *       TableName: "orders",
 *       Key: { id: "o-1" },
 *       UpdateExpression: "SET #state = :paid",
 *       ConditionExpression: "#state = :open",
 *       ExpressionAttributeNames: { "#state": "state" },
 *       ExpressionAttributeValues: { ":open": "open", ":paid": "paid" },
 *     },
 *   },
 * ]);
 * expect(tables.items("orders")).toEqual([{ id: "o-1", state: "paid" }]);
 */
export function memoryTables(definitions: Readonly<Record<string, MemoryTable>>): MemoryTables {
  const keys = keysOf(definitions);
  const tables = new Map([...keys.keys()].map((name) => [name, new Map<string, Attributes>()]));
  const itemsOf = (table: string): Map<string, Attributes> => tables.get(table) as Map<string, Attributes>;

  function keyNames(table: unknown, fail: Fail): readonly string[] {
    const names = keys.get(table as string);
    return names ?? fail(`there is no table ${show(table)}; there are ${[...keys.keys()].map(show).join(", ")}`);
  }

  return {
    items(table) {
      keyNames(table, failAt("items"));
      return [...itemsOf(table).values()].map(copyOut);
    },
    get(table, key) {
      const fail = failAt("get");
      const place = placeOf(checkKey(copyMap(key, fail), keyNames(table, fail), fail));
      const item = itemsOf(table).get(place);
      return item && copyOut(item);
    },
    put(table, item) {
      const fail = failAt("put");
      const names = keyNames(table, fail);
      const copy = checkItem(copyMap(item, fail), fail);
      itemsOf(table).set(placeOf(keyOf(copy, names, fail)), copy);
    },
    transact(actions) {
      const compiled = actions.map((action, index) => compileAction(action, index, keyNames));
      const places = new Map<string, number>();
      for (const [index, { table, place }] of compiled.entries()) {
        const whole = JSON.stringify([table, place]);
        const other = places.get(whole);
        if (other !== undefined) failAt(`action ${index}`)(`is on the same item as action ${other}; allowed is one`);
        places.set(whole, index);
      }
      const before = compiled.map(({ table, place }) => itemsOf(table).get(place));
      const held = compiled.map((action, index) => action.holds(before[index]));
      // An update that its item does not allow is an error even where another action is refused, as in DynamoDB.
      const after = compiled.map((action, index) => (held[index] ? action.after(before[index]) : undefined));
      if (held.includes(false)) {
        return { committed: false, refusals: before.map((item, index) => (held[index] ? undefined : found(item))) };
      }
      for (const [index, { table, place }] of compiled.entries()) {
        const item = after[index];
        if (item === undefined) itemsOf(table).delete(place);
        else itemsOf(table).set(place, item);
      }
      return { committed: true };
    },
  };
}

const found = (item: Attributes | undefined): { readonly found: NativeItem | undefined } => ({
  found: item && copyOut(item),
});

function keysOf(definitions: unknown): ReadonlyMap<string, readonly string[]> {
  const fail = failAt("memoryTables()");
  const allowed = "{ key: [partition key] } or { key: [partition key, sort key] }, two names that differ";
  if (!isPlainObject(definitions) || Object.keys(definitions).length === 0) {
    return fail(`was given ${show(definitions)}; allowed is an object of tables by name, each ${allowed}`);
  }
  return new Map(
    Object.entries(definitions).map(([table, definition]) => {
      const { key, ...rest } = isPlainObject(definition) ? definition : {};
      const names: readonly unknown[] = Array.isArray(key) ? key : [];
      const isName = (name: unknown): boolean => typeof name === "string" && name !== "";
      const valid = names.every(isName) && names.length === new Set(names).size && [1, 2].includes(names.length);
      if (!valid || Object.keys(rest).length > 0)
        return fail(`the table ${show(table)} is no table; allowed is ${allowed}`);
      return [table, [...names] as readonly string[]];
    }),
  );
}
