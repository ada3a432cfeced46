import { DEEPEST, isPlainArray, isPlainObject, kindOf, pathOf } from "../core/plain.ts";
import { exactText } from "./json-text.ts";

/** A value has no canonical JSON. Names where it stands and what it is, never its contents. */
export class CanonicalError extends Error {
  override readonly name = "CanonicalError";
  /** Where in the value, such as `$.items[2].at`; cut off after 120 characters. */
  readonly path: string;
  /** What stands there and what is allowed. */
  readonly detail: string;

  constructor({ path, detail }: { path: string; detail: string }) {
    super(`${detail} at ${path}`);
    this.path = path;
    this.detail = detail;
  }
}

/**
 * The one text that a JSON value has, whatever the order of its names: RFC 8785 (JCS).
 *
 * A property that is `undefined` counts as absent. Everything that JSON cannot bring back equal is
 * refused rather than dropped or converted, so that different values never share a text; -0 is 0, as
 * the RFC has it.
 *
 * @throws CanonicalError for what is not JSON: `undefined` as a whole or in an array, NaN, BigInt, functions,
 * symbols, Date, Map, class instances, lone surrogates, accessors that throw, cycles, more than 512 levels.
 * @example
 * canonicalJson({ total: 1e3, items: ["b", "a"] }); // '{"items":["b","a"],"total":1000}'
 */
export function canonicalJson(value: unknown): string {
  try {
    return write(value, 0);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new CanonicalError({ path: pathOf(error.steps.reverse()), detail: error.detail });
  }
}

/** On its way up; collects the steps of the path, innermost first. Nothing is built unless something is refused. */
class Refusal {
  readonly detail: string;
  readonly steps: (string | number)[] = [];

  constructor(detail: string) {
    this.detail = detail;
  }
}

function write(value: unknown, depth: number): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") {
    if (value - value === 0) return `${value}`;
    throw new Refusal(`${value} is not a JSON number`);
  }
  if (value === null) return "null";
  if (value === true) return "true";
  if (value === false) return "false";
  if (typeof value !== "object") throw new Refusal(`${kindOf(value)} is not a JSON value`);
  if (depth >= DEEPEST) throw new Refusal(`a value nested deeper than ${DEEPEST} levels, or a cycle,`);
  if (Array.isArray(value)) return writeArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || isPlainObject(value))
    return writeObject(value as Record<string, unknown>, depth);
  const digits = exactText(value);
  if (digits !== undefined) return digits;
  throw new Refusal(`${kindOf(value)} is not a JSON value`);
}

function writeArray(value: readonly unknown[], depth: number): string {
  if (!isPlainArray(value)) throw new Refusal(`${kindOf(value)} is not a JSON value`);
  const length = value.length;
  let text = "[";
  let at: number | undefined = 0;
  try {
    for (; at < length; at++) text += at === 0 ? write(value[at], depth + 1) : `,${write(value[at], depth + 1)}`;
    at = undefined;
    // A hole was refused as undefined above, so that a surplus is a named property, which JSON would drop.
    if (Object.keys(value).length !== length) throw new Refusal("an array with properties of its own");
    if (Object.getOwnPropertySymbols(value).length !== 0) refuseSymbols(value);
    return `${text}]`;
  } catch (error) {
    throw stepUp(error, at);
  }
}

function writeObject(value: Readonly<Record<string, unknown>>, depth: number): string {
  let name: string | undefined;
  try {
    if (Object.getOwnPropertySymbols(value).length !== 0) refuseSymbols(value);
    const names = sortNames(Object.keys(value));
    let text = "";
    for (name of names) {
      const part = value[name];
      if (part === undefined) continue;
      text += `${text === "" ? "{" : ","}${quote(name)}:${write(part, depth + 1)}`;
    }
    return text === "" ? "{}" : `${text}}`;
  } catch (error) {
    throw stepUp(error, name);
  }
}

/** A refusal, one step further up. What an accessor or a proxy threw is replaced: its message may quote the value. */
function stepUp(error: unknown, step: string | number | undefined): Refusal {
  const refusal =
    error instanceof Refusal ? error : new Refusal("a property that cannot be read (its accessor throws)");
  if (step !== undefined) refusal.steps.push(step);
  return refusal;
}

/** An enumerable symbol would be dropped; own symbols that are not betray `arguments`, a module, `Math`. */
function refuseSymbols(value: object): void {
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol))
      throw new Refusal("an object with a symbol as a name");
  }
  const tag = Object.prototype.toString.call(value);
  if (tag !== "[object Object]") throw new Refusal(`${tag} is not a JSON value; it stands`);
}

/** In place, by UTF-16 code units, as `<` compares. Events are mostly small and partly sorted: insertion is faster there. */
function sortNames(names: string[]): string[] {
  if (names.length > 24) return names.sort();
  for (let at = 1; at < names.length; at++) {
    const name = names[at] as string;
    let to = at - 1;
    for (; to >= 0 && (names[to] as string) > name; to--) names[to + 1] = names[to] as string;
    names[to + 1] = name;
  }
  return names;
}

/** What cannot stand in quotes as it is; surrogates are looked at closer, most are halves of a pair. */
const special = /["\\\u0000-\u001f\ud800-\udfff]/;
const loneSurrogate = /\p{Surrogate}/u;

/** JSON.stringify escapes just as RFC 8785 asks, except that it lets lone surrogates through. */
function quote(text: string): string {
  if (!special.test(text)) return `"${text}"`;
  if (loneSurrogate.test(text)) throw new Refusal("a string with a lone surrogate");
  return JSON.stringify(text);
}
