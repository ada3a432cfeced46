import { show } from "../core/duration.ts";
import type { NativeItem } from "../core/write.ts";
import type { Condition } from "./condition.ts";
import { reservedId, reservedKey } from "./key.ts";
import { refuse } from "./options.ts";
import { type ItemPart, itemPart } from "./part.ts";
import type { AnyTable } from "./table.ts";

const FIELD = "uniqueField";
const OWNER = "uniqueOwner";
const BY = "putUnique()";

/** The guard becomes the entity's, unless it is another's. */
export function takeGuard(table: AnyTable, owner: NativeItem, field: string, hash: string, writeId: string): ItemPart {
  const { name, key } = placeOf(table, owner, field, hash);
  const assignments = new Map([
    [FIELD, { op: "set", value: field } as const],
    [OWNER, { op: "set", value: owner } as const],
  ]);
  const mark = { attribute: table.attributes.writeId, id: writeId };
  const condition = notAnothers(key, owner);
  return itemPart({ by: BY, verb: "put", table: name, key, assignments, condition, writeId: mark });
}

/** The guard goes, unless it is another's. */
export function freeGuard(table: AnyTable, owner: NativeItem, field: string, hash: string): ItemPart {
  const { name, key } = placeOf(table, owner, field, hash);
  const condition = notAnothers(key, owner);
  return itemPart({ by: BY, verb: "delete", table: name, key, assignments: new Map(), condition });
}

function notAnothers(key: NativeItem, owner: NativeItem): Condition {
  return {
    test: "any",
    of: [
      { test: "absent", attribute: Object.keys(key)[0] as string },
      { test: "equals", attribute: OWNER, value: owner },
    ],
  };
}

/** Where a guard stands: the hash keeps values apart, the field's name is in it and is there to be read. */
function placeOf(
  table: AnyTable,
  owner: NativeItem,
  field: string,
  hash: string,
): { readonly name: string; readonly key: NativeItem } {
  const { guards } = table;
  const [partition, sort] = table.key as readonly [string, string?];
  const names = guards === undefined ? table.key : [guards.key];
  const taken = names.find((name) => name === FIELD || name === OWNER);
  if (taken !== undefined) refuse(BY, "the table's key", show(taken), `any but '${FIELD}' and '${OWNER}'`);
  const id = `${hash}#${field.slice(0, 100)}`;
  // Tables may share their guards, and have entities of the same key.
  const of = table.name.slice(table.name.lastIndexOf("/") + 1);
  if (guards !== undefined) return { name: guards.name, key: { [guards.key]: reservedId("unique", `${of}/${id}`) } };
  if (typeof owner[partition] !== "string") {
    refuse(BY, `item.${partition}`, "no string", "a string, or the option guards of table()");
  }
  return { name: table.name, key: reservedKey(table, "unique", id, sort && owner[sort]) };
}
