import { isPlainArray, isPlainObject, kindOf } from "../../core/plain.ts";
import type { NativeItem } from "../../core/write.ts";
import { checkNumber } from "./decimal.ts";
import type { Fail } from "./fail.ts";

/** A value of an item. Numbers are safe integers and fractions, BigInts only what no safe integer is. Never changed in place. */
export type Value = string | number | bigint | boolean | null | Uint8Array | readonly Value[] | ValueSet | Attributes;

/** A set of texts, of numbers or of bytes. Never empty. */
export type ValueSet = ReadonlySet<string | number | bigint | Uint8Array>;

/** An item or a map. Has no prototype, so that `constructor` and `__proto__` are names like any other. */
export interface Attributes {
  readonly [name: string]: Value;
}

/** DynamoDB's names of the types. */
export type ValueType = "S" | "N" | "BOOL" | "NULL" | "B" | "L" | "M" | "SS" | "NS" | "BS";

/** The most levels that an item may nest, itself counted. */
export const DEEPEST_ITEM = 32;

/** The type of a value. */
export function typeOf(value: Value): ValueType {
  if (typeof value === "string") return "S";
  if (typeof value === "number" || typeof value === "bigint") return "N";
  if (typeof value === "boolean") return "BOOL";
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return "B";
  if (Array.isArray(value)) return "L";
  return value instanceof Set ? (`${typeOf([...value][0])}S` as ValueType) : "M";
}

/** A map with these entries. */
export function attributes(entries: Iterable<readonly [string, Value]>): Record<string, Value> {
  const map = Object.create(null) as Record<string, Value>;
  for (const [name, value] of entries) map[name] = value;
  return map;
}

/** A copy of a user's item or map. */
export function copyMap(given: unknown, fail: Fail, depth = 1): Attributes {
  if (!isPlainObject(given)) return fail(`${kindOf(given)} is no object of native values`);
  if (depth > DEEPEST_ITEM) return fail(`a value nests deeper than ${DEEPEST_ITEM} levels, or is a cycle`);
  return attributes(
    Object.entries(given).map(([name, value]) => {
      if (name === "") return fail("an attribute's name is empty");
      return [name, copyIn(value, fail, depth + 1)] as const;
    }),
  );
}

/** A copy of a user's value, as DynamoDB would keep it. */
export function copyIn(given: unknown, fail: Fail, depth = 1): Value {
  if (typeof given === "string" || typeof given === "boolean" || given === null) return given;
  if (typeof given === "number" || typeof given === "bigint") return checkNumber(given, fail);
  if (given instanceof Uint8Array) return new Uint8Array(given);
  if (given instanceof Set) return copySet(given, fail);
  if (isPlainArray(given)) {
    if (depth > DEEPEST_ITEM) return fail(`a value nests deeper than ${DEEPEST_ITEM} levels, or is a cycle`);
    return Array.from(given, (value) => copyIn(value, fail, depth + 1));
  }
  if (isPlainObject(given)) return copyMap(given, fail, depth);
  return fail(
    `${kindOf(given)} is no value of an item; allowed are strings, numbers, BigInts, booleans, null, Uint8Arrays, arrays, plain objects and Sets`,
  );
}

function copySet(given: ReadonlySet<unknown>, fail: Fail): ValueSet {
  const values = [...given].map((value) => copyIn(value, fail));
  const types = new Set(values.map(typeOf));
  const [type] = types;
  if (types.size !== 1 || (type !== "S" && type !== "N" && type !== "B")) {
    return fail("a Set is empty or mixed; allowed are Sets of strings, of numbers or of Uint8Arrays, not empty");
  }
  if (typeof [...given][0] === "number" && values.some((value) => typeof value === "bigint")) {
    return fail(
      "a Set of numbers holds a BigInt beyond 2^53, which the SDK takes only where the Set begins with a BigInt",
    );
  }
  if (new Set(values.map(textOf)).size !== values.length) return fail("a Set holds the same value twice");
  return new Set(values) as ValueSet;
}

/** A copy for the user, in ordinary objects. */
export function copyOut(value: Attributes): NativeItem {
  return outside(value) as NativeItem;
}

function outside(value: Value): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof Set) return new Set([...(value as ValueSet)].map(outside));
  if (Array.isArray(value)) return value.map(outside);
  return Object.fromEntries(Object.entries(value as Attributes).map(([name, part]) => [name, outside(part)]));
}

/** A text that two values share where DynamoDB holds them equal: whatever the order in maps and sets, `1` and `1n` alike. */
export function textOf(value: Value): string {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return `B${Buffer.from(value).toString("hex")}`;
  if (value instanceof Set) return `S(${[...(value as ValueSet)].map(textOf).sort().join()})`;
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  const entries = Object.entries(value as Attributes).map(([name, part]) => `${JSON.stringify(name)}:${textOf(part)}`);
  return `{${entries.sort().join()}}`;
}

/** Below, at or above zero, as the first of two values of one type (text, number, bytes) comes before, with or after the other. */
export function order(one: Value, other: Value): number {
  if (typeof one === "string") return Buffer.compare(Buffer.from(one), Buffer.from(other as string));
  if (one instanceof Uint8Array) return Buffer.compare(one, other as Uint8Array);
  return (one as number) < (other as number) ? -1 : Number((one as number) > (other as number));
}
