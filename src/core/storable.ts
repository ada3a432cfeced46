import { IdempotencyResultError } from "./errors.ts";
import { DEEPEST, isPlainArray, isPlainObject, kindOf, pathOf } from "./plain.ts";

/** What a result that cannot be stored is turned into, so that the compiler's message says why. */
interface NotStorable<Why extends string> {
  readonly "lambda-once: this result cannot be stored": Why;
}

/** Built-in objects that JSON would lose. */
type Lossy =
  | Date
  | RegExp
  | Promise<unknown>
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | ArrayBuffer
  | ArrayBufferView;

/**
 * A type that `T` fits where a replay can bring it back equal, else one that it does not fit: refuses `Date`, `Map`, `Set`,
 * `bigint`, functions, symbols, errors, buffers and objects with methods, at any depth. `any` and
 * `unknown` pass and are checked when they are stored.
 */
export type Storable<T> = 0 extends 1 & T
  ? T
  : unknown extends T
    ? T
    : // biome-ignore lint/suspicious/noConfusingVoidType: a function without a result returns it
      T extends string | number | boolean | null | undefined | void
      ? T
      : T extends bigint
        ? NotStorable<"a bigint">
        : T extends symbol
          ? NotStorable<"a symbol">
          : T extends ((...args: never) => unknown) | (abstract new (...args: never) => unknown)
            ? NotStorable<"a function, a class, or an object with a method">
            : T extends Lossy
              ? NotStorable<"a Date, Map, Set, buffer or promise: turn it into plain JSON first">
              : T extends Error
                ? "stack" extends keyof T
                  ? NotStorable<"an Error: turn it into plain JSON first">
                  : StorableParts<T>
                : T extends readonly unknown[]
                  ? { readonly [index: number]: Storable<T[number]> }
                  : T extends object
                    ? StorableParts<T>
                    : T;

/** A property is looked at when it is compared, so that types may contain themselves; an array mapped like this would not wait. */
type StorableParts<T> = { [P in keyof T]: P extends symbol ? NotStorable<"a symbol"> : Storable<T[P]> };

/**
 * Returns where JSON can bring `value` back equal: plain objects, arrays, strings, booleans, `null` and
 * finite numbers other than -0. An undefined property counts as an absent one.
 *
 * @throws IdempotencyResultError naming the path of the first thing that would be lost.
 */
export function assertStorable(value: unknown): void {
  const path: (string | number)[] = [];
  try {
    check(value, path, []);
  } catch (error) {
    const detail = error instanceof Refused ? error.detail : "a property whose getter throws";
    throw new IdempotencyResultError({ path: pathOf(path), detail });
  }
}

class Refused {
  readonly detail: string;
  constructor(detail: string) {
    this.detail = detail;
  }
}

/** Leaves `path` at the place of the fault when it throws. */
function check(value: unknown, path: (string | number)[], above: object[]): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) throw new Refused(String(value));
      if (Object.is(value, -0)) throw new Refused("-0");
      return;
    case "object":
      if (value !== null) checkObject(value, path, above);
      return;
    default:
      throw new Refused(kindOf(value));
  }
}

function checkObject(value: object, path: (string | number)[], above: object[]): void {
  if (above.includes(value)) throw new Refused("a cycle");
  if (above.length >= DEEPEST) throw new Refused(`nesting deeper than ${DEEPEST}`);
  above.push(value);
  const isArray = isPlainArray(value);
  if (!isArray && !isPlainObject(value)) throw new Refused(kindOf(value));
  const names = Object.keys(value);
  if (isArray) {
    for (let i = 0; i < value.length; i++) {
      path.push(i);
      check(value[i], path, above);
      path.pop();
    }
    // A hole was refused as undefined, so that a surplus is a named property, which JSON would drop.
    if (names.length !== value.length) throw new Refused("an array with properties of its own");
  } else {
    for (const name of names) {
      path.push(name);
      const part = value[name];
      if (part !== undefined) check(part, path, above);
      path.pop();
    }
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") throw new Refused("an object with toJSON()");
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol)) throw new Refused("a property named by a symbol");
  }
  above.pop();
}
