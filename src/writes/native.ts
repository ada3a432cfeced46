import { IdempotencyConfigError } from "../core/errors.ts";
import { isPlainArray, isPlainObject, kindOf, pathOf } from "../core/plain.ts";
import type { NativeItem } from "../core/write.ts";

/** How many levels DynamoDB lets an attribute nest. */
const DEEPEST = 32;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** DynamoDB's numbers: 38 digits, and not closer to zero than this. */
const SMALLEST = 1e-130;
const MOST_DIGITS = 38;

type Steps = (string | number)[];

/**
 * A copy of an item that nobody else can change: what a write holds is what was there when it was made. An
 * undefined property equals an absent one.
 *
 * @throws IdempotencyConfigError naming the path of the first value that DynamoDB cannot hold, or would hold as another
 */
export function snapshot(item: unknown, what: string): NativeItem {
  if (!isPlainObject(item)) {
    throw new IdempotencyConfigError(`${what} is ${kindOf(item)}; allowed is a plain object`);
  }
  return copyObject(item, { what, steps: [] });
}

interface Place {
  readonly what: string;
  readonly steps: Steps;
}

function refuse({ what, steps }: Place, found: string, allowed: string): never {
  throw new IdempotencyConfigError(`${what} holds ${found} at ${pathOf(steps)}; allowed is ${allowed}`);
}

const ALLOWED =
  "a string, boolean, null, finite number, bigint, Uint8Array, or an array, a plain object or a Set of these";

function copy(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case "string":
      // DynamoDB's texts are UTF-8, in which all of these are one.
      if (LONE_SURROGATE.test(value)) refuse(place, "a lone surrogate", "strings without lone surrogates");
      return value;
    case "boolean":
      return value;
    case "number":
      return checkedNumber(value, place);
    case "bigint":
      if (String(value).replace("-", "").length > MOST_DIGITS)
        refuse(place, "a bigint of too many digits", "38 digits");
      return value;
    case "object":
      return value === null ? null : copyStructure(value, place);
    default:
      return refuse(place, kindOf(value), ALLOWED);
  }
}

function copyStructure(value: object, place: Place): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (place.steps.length >= DEEPEST) refuse(place, "a value nested deeper than 32 levels, or a cycle,", "32 levels");
  if (isPlainArray(value)) return Array.from(value, (part, at) => copyPart(part, at, place));
  if (value instanceof Set) return copySet(value, place);
  return isPlainObject(value) ? copyObject(value, place) : refuse(place, kindOf(value), ALLOWED);
}

function copyObject(object: Readonly<Record<string, unknown>>, place: Place): NativeItem {
  const copied: NativeItem = {};
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    // The SDK would lose the one and stumble over the other.
    if (name === "__proto__" || name === "constructor" || name === "") {
      refuse(place, `the name '${name}'`, "any other name that is not empty");
    }
    copied[name] = copyPart(value, name, place);
  }
  return copied;
}

function copyPart(value: unknown, step: string | number, { what, steps }: Place): unknown {
  return copy(value, { what, steps: [...steps, step] });
}

/** Of one kind, and not empty: DynamoDB has no other sets. */
function copySet(set: ReadonlySet<unknown>, place: Place): Set<unknown> {
  const copied = new Set([...set].map((member) => copy(member, place)));
  const bytes = [...copied].filter((member) => member instanceof Uint8Array).map(String);
  if (new Set(bytes).size < bytes.length) refuse(place, "a Set with the same bytes twice", "each once");
  const kinds = new Set([...copied].map(kindInSet));
  if (kinds.size === 1 && !kinds.has("other")) return copied;
  return refuse(
    place,
    copied.size === 0 ? "an empty Set" : "a Set of several kinds",
    "a Set of one or more strings, of numbers, or of Uint8Arrays",
  );
}

function kindInSet(member: unknown): string {
  if (member instanceof Uint8Array) return "bytes";
  return ["string", "number", "bigint"].includes(typeof member) ? typeof member : "other";
}

function checkedNumber(value: number, place: Place): number {
  if (!Number.isFinite(value)) refuse(place, String(value), "a finite number");
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    refuse(place, "a number beyond 2^53, which may have been rounded,", "a bigint or a string there");
  }
  if (value !== 0 && Math.abs(value) < SMALLEST) refuse(place, "a number closer to zero than 1e-130", "0");
  return value;
}
