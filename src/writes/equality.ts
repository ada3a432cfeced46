import { isPlainArray, isPlainObject } from "../core/plain.ts";

/** DynamoDB's type of a native value, and a text that two values of that type share exactly where DynamoDB calls them equal. */
export type Typed = readonly [type: string, value: unknown];

/**
 * A native value as JSON in which nothing is lost: each with its DynamoDB type, numbers by their value, sets in order.
 * Two values are equal to DynamoDB exactly where their canonical texts are.
 */
export function typed(value: unknown): Typed {
  switch (typeof value) {
    case "string":
      return ["S", value];
    case "boolean":
      return ["BOOL", value];
    case "number":
    case "bigint":
      return ["N", digitsOf(value)];
    default:
      return typedStructure(value as object | null);
  }
}

function typedStructure(value: object | null): Typed {
  if (value === null) return ["NULL", true];
  if (value instanceof Uint8Array) return ["B", Buffer.from(value).toString("base64")];
  if (value instanceof Set) return typedSet(value);
  if (isPlainArray(value)) return ["L", value.map(typed)];
  if (isPlainObject(value)) {
    const entries = Object.entries(value).filter(([, part]) => part !== undefined);
    return ["M", Object.fromEntries(entries.map(([name, part]) => [name, typed(part)]))];
  }
  return ["?", String(value)];
}

function typedSet(set: ReadonlySet<unknown>): Typed {
  const members = [...set].map(typed);
  return [`${members[0]?.[0] ?? ""}S`, members.map(([, member]) => member as string).sort()];
}

/** -0 is 0, and 5n is 5. */
const digitsOf = (value: number | bigint): string => String(value === 0 ? 0 : value);

/** Whether DynamoDB's `=` holds between two values. */
export function isEqual(one: unknown, other: unknown): boolean {
  return one !== undefined && other !== undefined && textOf(typed(one)) === textOf(typed(other));
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isPlainObject(part) ? Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)) : part,
  );
}

/**
 * How DynamoDB orders two values: below 0, 0, above 0; `undefined` where it does not, since they are of different
 * types or of one without an order. Strings are ordered by their UTF-8 bytes.
 */
export function order(one: unknown, other: unknown): number | undefined {
  if (isNumber(one) && isNumber(other)) return one < other ? -1 : one > other ? 1 : 0;
  const [first, second] = [bytesOf(one), bytesOf(other)];
  return first === undefined || second === undefined || typeof one !== typeof other
    ? undefined
    : Buffer.compare(first, second);
}

const isNumber = (value: unknown): value is number | bigint => typeof value === "number" || typeof value === "bigint";

function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  return value instanceof Uint8Array ? value : undefined;
}
