import { show } from "../core/duration.ts";
import type { Assignment } from "./item-write.ts";
import { snapshot } from "./native.ts";
import { refuse } from "./options.ts";
import type { AnyTable, EntityOf, KeyNameOf, MadeOf } from "./table.ts";

/** The attributes that a write may set or remove: neither the key, nor the state, nor what the builders write. */
export type FreeNameOf<H extends AnyTable> = Exclude<
  keyof EntityOf<H> & string,
  KeyNameOf<H> | MadeOf<H> | NonNullable<H["state"]>
>;

/** Attributes that change along with a write. */
export interface Along<H extends AnyTable> {
  /** Attributes to set. An undefined one is left as it is. */
  readonly set?: { readonly [N in FreeNameOf<H>]?: EntityOf<H>[N] | undefined } | undefined;
  /** Attributes to remove. */
  readonly remove?: readonly FreeNameOf<H>[] | undefined;
}

/**
 * What `set` and `remove` do. The content has changed then, so that the hash of `putIfChanged()` no longer says what it is.
 *
 * @throws IdempotencyConfigError for attributes that the write may not touch, or that are both set and removed
 */
export function assignmentsOf(
  by: string,
  table: AnyTable,
  { set = {}, remove = [] }: { readonly set?: unknown; readonly remove?: unknown },
): [string, Assignment][] {
  const values = snapshot(set, `${by}: set`);
  if (!Array.isArray(remove) || !remove.every((name) => typeof name === "string")) {
    refuse(by, "remove", show(remove), "a list of attributes' names");
  }
  const removed: readonly string[] = remove;
  const { writeId, contentHash } = table.attributes;
  const taken = [...table.key, table.state, table.version, writeId, contentHash, "__proto__", "constructor", ""];
  for (const [option, names] of [["set", Object.keys(values)] as const, ["remove", removed] as const]) {
    const wrong = names.find((name) => taken.includes(name));
    if (wrong !== undefined) {
      refuse(
        by,
        option,
        `one with ${show(wrong)}`,
        "any attribute beside the key, the state and what the builders write",
      );
    }
  }
  const twice = removed.find((name) => Object.hasOwn(values, name));
  if (twice !== undefined)
    refuse(by, "remove", `one with ${show(twice)}, which is set`, "each attribute in one of them");
  const all: [string, Assignment][] = [
    ...Object.entries(values).map(([name, value]): [string, Assignment] => [name, { op: "set", value }]),
    ...removed.map((name): [string, Assignment] => [name, { op: "remove" }]),
  ];
  return all.length === 0 ? all : [...all, [contentHash, { op: "remove" }]];
}
