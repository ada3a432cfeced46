import { show } from "../../core/duration.ts";
import { isPlainObject, kindOf } from "../../core/plain.ts";
import type { Fail } from "./fail.ts";
import type { Placeholders } from "./scanner.ts";
import { copyIn } from "./values.ts";

/** The placeholders of a request, in copies. */
export function placeholdersOf(request: Readonly<Record<string, unknown>>, fail: Fail): Placeholders {
  const names = entriesOf(request, "ExpressionAttributeNames", /^#\w+$/, fail).map(([placeholder, name]) => {
    if (typeof name === "string" && name !== "") return [placeholder, name] as const;
    return fail(`${placeholder} of ExpressionAttributeNames is no attribute's name`);
  });
  const values = entriesOf(request, "ExpressionAttributeValues", /^:\w+$/, fail).map(
    ([placeholder, value]) =>
      [placeholder, copyIn(value, (what) => fail(`${placeholder} of ExpressionAttributeValues: ${what}`))] as const,
  );
  return { names: new Map(names), values: new Map(values), used: new Set() };
}

/** Refuses placeholders that stand in no expression, as DynamoDB does. */
export function refuseUnused({ names, values, used }: Placeholders, fail: Fail): void {
  const unused = [...names.keys(), ...values.keys()].find((placeholder) => !used.has(placeholder));
  if (unused !== undefined) fail(`${unused} stands in no expression`);
}

function entriesOf(
  request: Readonly<Record<string, unknown>>,
  field: string,
  allowed: RegExp,
  fail: Fail,
): readonly (readonly [string, unknown])[] {
  const given = request[field];
  if (given === undefined) return [];
  if (!isPlainObject(given)) return fail(`${field} is ${kindOf(given)}; allowed is an object`);
  const entries = Object.entries(given);
  if (entries.length === 0) return fail(`${field} is empty; DynamoDB wants it left out then`);
  const wrong = entries.find(([placeholder]) => !allowed.test(placeholder));
  if (wrong === undefined) return entries;
  return fail(
    `${field} has the name ${show(wrong[0])}; allowed are names like ${field.endsWith("Names") ? "#n1" : ":v1"}`,
  );
}
