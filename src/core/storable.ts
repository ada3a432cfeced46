import { IdempotencyResultError } from "./errors.ts";

/** What a result that cannot be stored is turned into, so that the compiler's message says why. */
interface NotStorable<Why extends string> {
  readonly "lambda-once: this result cannot be stored": Why;
}

/** Built-in objects that JSON would lose. */
type Lossy =
  | Date
  | RegExp
  | Error
  | Promise<unknown>
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | ArrayBuffer
  | ArrayBufferView;

/**
 * `T` where a replay can bring it back equal, else a type that nothing fits: refuses `Date`, `Map`, `Set`,
 * `bigint`, functions, symbols, errors, buffers and objects with methods, at any depth. `any` and
 * `unknown` pass and are checked when they are stored.
 */
export type Storable<T> = 0 extends 1 & T
  ? T
  : unknown extends T
    ? T
    : T extends string | number | boolean | null | undefined | void
      ? T
      : T extends bigint
        ? NotStorable<"a bigint">
        : T extends symbol
          ? NotStorable<"a symbol">
          : T extends (...args: never) => unknown
            ? NotStorable<"a function, or an object with a method">
            : T extends Lossy
              ? NotStorable<"a Date, Map, Set, Error, buffer or promise: turn it into plain JSON first">
              : T extends object
                ? { [P in keyof T]: P extends symbol ? NotStorable<"a symbol"> : Storable<T[P]> }
                : T;

/** Deeper nesting is refused: far beyond real results, far below the stack's end. */
const DEEPEST = 512;

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
    if (error instanceof Refused) throw new IdempotencyResultError({ path: pathText(path), detail: error.detail });
    throw new IdempotencyResultError({ path: pathText(path), detail: "a property whose getter throws" });
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
    case "undefined":
      throw new Refused("undefined");
    default:
      throw new Refused(`a ${typeof value}`);
  }
}

function checkObject(value: object, path: (string | number)[], above: object[]): void {
  if (above.includes(value)) throw new Refused("a cycle");
  if (above.length >= DEEPEST) throw new Refused(`nesting deeper than ${DEEPEST}`);
  above.push(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      path.push(i);
      check(value[i], path, above);
      path.pop();
    }
  } else {
    if (!isPlain(value)) throw new Refused(`an instance of ${className(value)}`);
    for (const name of Object.keys(value)) {
      path.push(name);
      const part = (value as Record<string, unknown>)[name];
      if (part !== undefined) check(part, path, above);
      path.pop();
    }
    if (
      Object.getOwnPropertySymbols(value).some((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol))
    ) {
      throw new Refused("a property named by a symbol");
    }
  }
  above.pop();
}

/** A literal's prototype: none, or the root of this or another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, "isPrototypeOf"))
  );
}

function className(value: object): string {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === "string" && name !== "" ? name : "a class";
}

function pathText(path: readonly (string | number)[]): string {
  let text = "$";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += /^[A-Za-z_$][\w$]*$/.test(part) ? `.${part}` : `[${JSON.stringify(part.slice(0, 60))}]`;
  }
  return text;
}
