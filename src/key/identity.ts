import { refuseValue } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { IdempotencyConfigError, isIdempotencyError } from "../core/errors.ts";
import { isPlainArray, isPlainObject } from "../core/plain.ts";
import { CanonicalError, canonicalJson } from "./canonical.ts";
import { isNothing } from "./interpreter.ts";
import { missing, unreadable } from "./refusal.ts";
import { compileSelection } from "./selection.ts";

/** The parts of a request's identity that a caller may choose. */
export type IdentityPart = "key" | "principal" | "fingerprint";

/** A JMESPath expression over the first argument, or a synchronous function of all arguments. */
export type Selector<Args extends readonly unknown[] = readonly never[]> = string | ((...args: Args) => unknown);

/**
 * Compiles the option `key`, `principal` or `fingerprint` into what reads it from a call's arguments, as canonical
 * JSON: what `recordId` and `fingerprintHash` take.
 *
 * A key or principal is missing where it is `undefined`, `null` or `''`, or where any part of a multi-select is, or
 * of the array or plain object that a function returns. `0` and `false` are keys. A fingerprint is never missing:
 * nothing counts as null.
 *
 * @throws IdempotencyConfigError at once for what is no selector; at the call where a function returns a promise.
 * `lenient`: the reader answers `undefined` for what is missing. Else it throws IdempotencyKeyMissingError: reason `'missing'`, or `'unreadable'` where the selector throws or finds
 * what has no canonical JSON; for a principal both are IdempotencyPrincipalMissingError.
 * @example
 * const key = compilePart("[tenant, orderId]", "key");
 * key([{ tenant: "t-1", orderId: 7 }]); // '["t-1",7]'
 */
export function compilePart(source: Selector, part: IdentityPart): (args: readonly unknown[]) => string;
export function compilePart(
  source: Selector,
  part: IdentityPart,
  lenient: boolean,
): (args: readonly unknown[]) => string | undefined;
export function compilePart(
  source: Selector,
  part: IdentityPart,
  lenient = false,
): (args: readonly unknown[]) => string | undefined {
  if (typeof source === "string") return compileExpression(source, part, lenient);
  if (typeof source !== "function") refuseValue(part, source, "is a JMESPath expression or a function");
  if (Object.prototype.toString.call(source) === "[object AsyncFunction]") throw asynchronous(part);
  const select = source as (...args: readonly unknown[]) => unknown;
  return (args) => partsText(callSelector(select, args, part), part, lenient, `the ${part} function returns`);
}

/**
 * The canonical JSON of a part that somebody has put together: where it is a list or a plain object, none of its
 * parts may be lacking (never for a fingerprint). `lenient`: `undefined` instead of an error where it is missing.
 *
 * @throws IdempotencyKeyMissingError, or IdempotencyPrincipalMissingError for a principal
 * @example
 * partsText(["t-1", 7], "key", false, "the binding gives"); // '["t-1",7]'
 */
export function partsText(value: unknown, part: IdentityPart, lenient: boolean, source: string): string | undefined {
  const lacked = part === "fingerprint" ? undefined : lackedByResult(value);
  if (lacked === undefined) return partText(value, part);
  if (lenient) return undefined;
  throw missing(part, `${source} ${lacked}`);
}

/**
 * The canonical JSON of a part that has been read already, such as the whole first argument.
 *
 * @throws IdempotencyKeyMissingError, or IdempotencyPrincipalMissingError for a principal, where the value is
 * `undefined`, `null` or `''` (never for a fingerprint), or has no canonical JSON.
 * @example
 * partText({ orderId: 7 }, "key"); // '{"orderId":7}'
 */
export function partText(value: unknown, part: IdentityPart): string {
  if (part === "fingerprint") return canonicalPart(value ?? null, part);
  if (isNothing(value)) throw missing(part, `the ${part} is ${show(value)}`);
  // Nobody in particular: all callers without a group, say, would share their keys.
  if (part === "principal" && isEmpty(value)) throw missing(part, "the principal is an empty list or object");
  return canonicalPart(value, part);
}

const isEmpty = (value: unknown): boolean =>
  (isPlainArray(value) || isPlainObject(value)) && Object.keys(value).length === 0;

function compileExpression(
  expression: string,
  part: IdentityPart,
  lenient: boolean,
): (args: readonly unknown[]) => string | undefined {
  const selection = compileSelection(expression, part);
  return ([input]) => {
    const value = selection.select(input);
    if (selection.missingPart(value) !== undefined) {
      // Looking into a string finds nothing for every request: a mistake, and no missing key to let pass.
      const slip = selection.slipIn(input);
      if (slip !== undefined) throw unreadable(part, `\`${expression}\` finds nothing; ${slip}`);
      if (lenient) return undefined;
      if (part !== "fingerprint") throw missing(part, selection.explainMissing(input));
    }
    return partText(value, part);
  };
}

function callSelector(
  select: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  part: IdentityPart,
): unknown {
  let value: unknown;
  let thenable: boolean;
  try {
    value = select(...args);
    thenable = typeof (value as { then?: unknown } | null | undefined)?.then === "function";
  } catch (error) {
    if (isIdempotencyError(error)) throw error;
    throw unreadable(part, `the ${part} function throws`, error);
  }
  if (!thenable) return value;
  // The promise is dropped here: its rejection must not end the process.
  if (value instanceof Promise) value.catch(() => undefined);
  throw asynchronous(part);
}

function asynchronous(part: IdentityPart): IdempotencyConfigError {
  return new IdempotencyConfigError(
    `${part} is a function that returns a promise; selectors are synchronous: read what it awaits before the call`,
  );
}

/** What a function's result lacks, `undefined` where it is complete. Parts are those of the outermost list or object. */
function lackedByResult(value: unknown): string | undefined {
  if (isNothing(value)) return show(value);
  try {
    // By index: a hole is a part that is not there, and `entries` of an array shows it as one.
    const parts = isPlainArray(value) ? [...value.entries()] : isPlainObject(value) ? Object.entries(value) : [];
    const lacked = parts.find(([, one]) => isNothing(one));
    return lacked === undefined
      ? undefined
      : `${isPlainArray(value) ? "a list" : "an object"} whose part ${show(lacked[0])} is ${show(lacked[1])}`;
  } catch {
    // An accessor that throws: canonicalJson refuses it and says where.
    return undefined;
  }
}

function canonicalPart(value: unknown, part: IdentityPart): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error;
    throw unreadable(part, `${error.detail} at ${error.path} of the ${part}`);
  }
}
