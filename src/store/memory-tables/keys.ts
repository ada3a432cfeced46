import { show } from "../../core/duration.ts";
import type { Fail } from "./fail.ts";
import { type Attributes, attributes, DEEPEST_ITEM, textOf, typeOf, type Value, type ValueSet } from "./values.ts";

const LARGEST_ITEM = 409_600;

/** The key of an item, in a map of its own. */
export function keyOf(item: Attributes, names: readonly string[], fail: Fail): Attributes {
  return attributes(
    names.map((name) => {
      const value = item[name];
      const type = value === undefined ? undefined : typeOf(value);
      if (value === undefined || !["S", "N", "B"].includes(type as string)) {
        return fail(
          `the key's ${show(name)} is ${type === undefined ? "missing" : `of type ${type}`}; allowed are S, N, B`,
        );
      }
      if ((value as { length?: number }).length === 0) return fail(`the key's ${show(name)} is empty`);
      return [name, value] as const;
    }),
  );
}

/** A whole key as a user gives it: the key's attributes and no other one. */
export function checkKey(given: Attributes, names: readonly string[], fail: Fail): Attributes {
  const other = Object.keys(given).find((name) => !names.includes(name));
  if (other === undefined) return keyOf(given, names, fail);
  return fail(`a key has the attribute ${show(other)}; allowed are ${names.map(show).join(", ")}`);
}

/** Where an item stands in its table. */
export function placeOf(key: Attributes): string {
  return textOf(key);
}

/** Refuses an item that no table can hold. Of its size only what is certain counts: names, texts and bytes. */
export function checkItem(item: Attributes, fail: Fail): Attributes {
  if (levels(item) > DEEPEST_ITEM) return fail(`the item nests deeper than ${DEEPEST_ITEM} levels`);
  const bytes = weight(item);
  return bytes <= LARGEST_ITEM ? item : fail(`the item has ${bytes} bytes or more; allowed are ${LARGEST_ITEM}`);
}

function levels(value: Value): number {
  const type = typeOf(value);
  if (type !== "L" && type !== "M") return 0;
  return 1 + Math.max(0, ...Object.values(value as Attributes).map(levels));
}

function weight(value: Value): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value !== "object" || value === null) return 1;
  const parts: readonly Value[] = value instanceof Set ? [...(value as ValueSet)] : Object.values(value as Attributes);
  const names = typeOf(value) === "M" ? Object.keys(value).join("") : "";
  return parts.reduce<number>((sum, part) => sum + weight(part), Buffer.byteLength(names));
}
