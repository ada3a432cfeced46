import { show } from "../core/duration.ts";
import { isPlainObject, kindOf } from "../core/plain.ts";
import type { Comparison, Condition } from "./condition.ts";
import { snapshot } from "./native.ts";
import { refuse } from "./options.ts";

/** What one attribute must be; all that is given must hold. A comparison with an absent attribute, or with one of another type, does not. */
export interface Test<Value> {
  readonly exists?: boolean | undefined;
  readonly equals?: Value | undefined;
  /** Another value, or none. */
  readonly differs?: Value | undefined;
  readonly oneOf?: readonly Value[] | undefined;
  readonly below?: Value | undefined;
  readonly atMost?: Value | undefined;
  readonly above?: Value | undefined;
  readonly atLeast?: Value | undefined;
}

/** Conditions on attributes, as data. */
export type When<T> = { readonly [N in keyof T]?: Test<NonNullable<T[N]>> };

const VALUE_TESTS = ["equals", "differs", "below", "atMost", "above", "atLeast"] as const;
const TESTS = ["exists", "oneOf", ...VALUE_TESTS];
/** The most values that DynamoDB takes in one IN. */
const MOST_VALUES = 100;

/**
 * The conditions that `when` says.
 *
 * @throws IdempotencyConfigError for tests that do not exist, and values that cannot be compared with
 */
export function conditionsOf(by: string, when: unknown): readonly Condition[] {
  if (when === undefined) return [];
  if (!isPlainObject(when)) refuse(by, "when", kindOf(when), "an object of attributes and what they must be");
  return Object.entries(when).flatMap(([attribute, tests]) =>
    tests === undefined ? [] : conditionsOn(by, attribute, tests),
  );
}

function conditionsOn(by: string, attribute: string, tests: unknown): readonly Condition[] {
  const option = `when.${attribute}`;
  const allowed = `an object of ${TESTS.join(", ")}`;
  if (!isPlainObject(tests)) refuse(by, option, show(tests), `${allowed}, such as { equals: 1 }`);
  const given = snapshot(tests, `${by}: ${option}`);
  const names = Object.keys(given);
  if (names.length === 0) refuse(by, option, "without a test", allowed);
  return names.map((name) => conditionOn(by, option, attribute, name, given[name]));
}

function conditionOn(by: string, option: string, attribute: string, name: string, value: unknown): Condition {
  if (name === "exists") {
    if (typeof value !== "boolean") refuse(by, `${option}.exists`, show(value), "true or false");
    return { test: value ? "exists" : "absent", attribute };
  }
  if (name === "oneOf") {
    const fits = Array.isArray(value) && value.length > 0 && value.length <= MOST_VALUES;
    if (!fits) refuse(by, `${option}.oneOf`, show(value), `a list of 1 to ${MOST_VALUES} values`);
    return { test: "oneOf", attribute, values: value as unknown[] };
  }
  if (!VALUE_TESTS.includes(name as never)) refuse(by, option, `a test ${show(name)}`, TESTS.join(", "));
  const isOrdered = /^(string|number|bigint)$/.test(typeof value) || value instanceof Uint8Array;
  if (name !== "equals" && name !== "differs" && !isOrdered)
    refuse(by, `${option}.${name}`, show(value), "what has an order: a string, a number, a bigint or a Uint8Array");
  return { test: name as "equals" | "differs" | Comparison, attribute, value };
}
