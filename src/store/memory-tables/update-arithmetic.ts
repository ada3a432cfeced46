import { difference, sum } from "./decimal.ts";
import type { Fail } from "./fail.ts";
import { textOf, typeOf, type Value, type ValueSet } from "./values.ts";

/** `one + other` */
export function plus(one: Value, other: Value, fail: Fail): Value {
  return sum(numberOf(one, fail), numberOf(other, fail), fail);
}

/** `one - other` */
export function minus(one: Value, other: Value, fail: Fail): Value {
  return difference(numberOf(one, fail), numberOf(other, fail), fail);
}

/** What ADD makes of an attribute: a sum, or a set with more elements. */
export function addTo(old: Value | undefined, operand: Value, fail: Fail): Value {
  if (old === undefined) return operand;
  if (typeOf(operand) === "N") return plus(old, operand, fail);
  const known = new Set([...setLike(old, operand, fail)].map(textOf));
  return new Set([...(old as ValueSet), ...[...(operand as ValueSet)].filter((value) => !known.has(textOf(value)))]);
}

/** What DELETE leaves of a set: nothing at all where no element stays. */
export function takeFrom(old: Value | undefined, operand: Value, fail: Fail): Value | undefined {
  if (old === undefined) return undefined;
  const gone = new Set([...(operand as ValueSet)].map(textOf));
  const rest = [...setLike(old, operand, fail)].filter((value) => !gone.has(textOf(value)));
  return rest.length === 0 ? undefined : new Set(rest);
}

function numberOf(value: Value, fail: Fail): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  return fail(`a value of type ${typeOf(value)} stands on the item where a number is allowed`);
}

function setLike(old: Value, operand: Value, fail: Fail): ValueSet {
  const [given, allowed] = [typeOf(old), typeOf(operand)];
  if (given === allowed) return old as ValueSet;
  return fail(`a value of type ${given} stands on the item where one of type ${allowed} is allowed`);
}
