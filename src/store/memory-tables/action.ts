import { show } from "../../core/duration.ts";
import type { WriteAction } from "../../core/write.ts";
import { changedItem } from "./changes.ts";
import { parseCondition } from "./condition.ts";
import type { Condition } from "./condition-functions.ts";
import { type Fail, failAt } from "./fail.ts";
import { checkItem, checkKey, keyOf, placeOf } from "./keys.ts";
import { placeholdersOf, refuseUnused } from "./placeholders.ts";
import { type Scanner, scan } from "./scanner.ts";
import { parseUpdate } from "./update.ts";
import { type Attributes, attributes, copyMap } from "./values.ts";

/** An action that was read, and can be carried out. */
export interface CompiledAction {
  readonly table: string;
  /** Where the item stands in its table. */
  readonly place: string;
  holds(item: Attributes | undefined): boolean;
  /** The item after the action: the one of before where it writes nothing, `undefined` where there is none. */
  after(item: Attributes | undefined): Attributes | undefined;
}

/** What an action may hold beside its own fields. */
const COMMON = [
  "TableName",
  "ConditionExpression",
  "ExpressionAttributeNames",
  "ExpressionAttributeValues",
  "ReturnValuesOnConditionCheckFailure",
];
const FIELDS = {
  Put: ["Item"],
  Update: ["Key", "UpdateExpression"],
  Delete: ["Key"],
  ConditionCheck: ["Key"],
} as const;
type Kind = keyof typeof FIELDS;
type Request = Readonly<Record<string, unknown>>;

/**
 * Reads one action of a transaction.
 *
 * @throws IdempotencyConfigError naming the action, its table and the expression for what DynamoDB would refuse
 */
export function compileAction(
  action: WriteAction,
  index: number,
  keyNames: (table: unknown, fail: Fail) => readonly string[],
): CompiledAction {
  const failAction = failAt(`action ${index}`);
  const [kind, request] = requestOf(action, failAction);
  const names = keyNames(request["TableName"], failAction);
  const table = request["TableName"] as string;
  const place = `action ${index}, ${kind} in table ${show(table)}`;
  const fail = failAt(place);
  checkFields(kind, request, fail);

  const placeholders = placeholdersOf(request, fail);
  const scanned = (name: string): Scanner | undefined => {
    const expression = request[name];
    if (expression === undefined) return undefined;
    if (typeof expression !== "string") return fail(`${name} is ${show(expression)}; allowed is an expression`);
    return scan(expression, placeholders, failAt(`${place}, ${name} ${show(expression)}`));
  };
  const conditionScanner = scanned("ConditionExpression");
  const condition = conditionScanner && parseCondition(conditionScanner);
  if (kind === "ConditionCheck" && condition === undefined) return fail("a ConditionCheck has no ConditionExpression");

  const copied = (name: string): Attributes => copyMap(request[name], (what) => fail(`${name}: ${what}`));
  if (kind === "Put") {
    refuseUnused(placeholders, fail);
    const item = checkItem(copied("Item"), fail);
    return { table, place: placeOf(keyOf(item, names, fail)), ...conditional(condition), after: () => item };
  }
  const key = checkKey(copied("Key"), names, fail);
  const common = { table, place: placeOf(key), ...conditional(condition) };
  const updateScanner = scanned("UpdateExpression");
  if (kind === "Update" && updateScanner === undefined) return fail("an Update has no UpdateExpression");
  const tree = updateScanner && parseUpdate(updateScanner);
  refuseUnused(placeholders, fail);
  if (updateScanner === undefined || tree === undefined) {
    return { ...common, after: (item) => (kind === "Delete" ? undefined : item) };
  }
  const changedKey = names.find((name) => tree.children.has(name));
  if (changedKey !== undefined)
    return updateScanner.fail(`${show(changedKey)} is part of the key and cannot be updated`);
  return {
    ...common,
    after: (item) => checkItem(changedItem(item ?? key, tree, updateScanner.fail), updateScanner.fail),
  };
}

/** What a condition sees where there is no item. */
const NOTHING = attributes([]);

const conditional = (condition: Condition | undefined): Pick<CompiledAction, "holds"> => ({
  holds: (item) => condition?.holds(item ?? NOTHING) ?? true,
});

function requestOf(action: WriteAction, fail: Fail): readonly [Kind, Request] {
  const given: object = action ?? {};
  const [entry, other] = Object.entries(given).filter(([, request]) => request !== undefined);
  if (entry !== undefined && other === undefined && Object.hasOwn(FIELDS, entry[0])) {
    const [kind, request] = entry as [Kind, unknown];
    if (typeof request === "object" && request !== null) return [kind, request as Request];
  }
  return fail(`allowed is an object with one of ${Object.keys(FIELDS).join(", ")}`);
}

function checkFields(kind: Kind, request: Request, fail: Fail): void {
  const allowed = [...COMMON, ...FIELDS[kind]];
  const unknown = Object.keys(request).find((name) => request[name] !== undefined && !allowed.includes(name));
  if (unknown !== undefined) fail(`there is no ${show(unknown)}; allowed are ${allowed.join(", ")}`);
}
