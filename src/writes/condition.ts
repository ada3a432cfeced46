import type { NativeItem } from "../core/write.ts";
import { isEqual, order } from "./equality.ts";
import type { Placeholders } from "./placeholders.ts";

const COMPARISONS = { below: "<", atMost: "<=", above: ">", atLeast: ">=" } as const;
export type Comparison = keyof typeof COMPARISONS;

/** What must hold of an item, as data: rendered for DynamoDB, and evaluated on what was found to say why it did not. */
export type Condition =
  | { readonly test: "exists" | "absent"; readonly attribute: string }
  /** `differs` holds of an absent attribute too. */
  | { readonly test: "equals" | "differs" | Comparison; readonly attribute: string; readonly value: unknown }
  | { readonly test: "oneOf"; readonly attribute: string; readonly values: readonly unknown[] }
  | { readonly test: "all" | "any"; readonly of: readonly Condition[] };

/** Both hold. */
export function both(one: Condition, other: Condition): Condition {
  return { test: "all", of: [one, other].flatMap((part) => (part.test === "all" ? part.of : [part])) };
}

/** Whether DynamoDB would find that the condition holds; `undefined` is no item. An empty `all` holds, an empty `any` does not. */
export function holds(condition: Condition, item: NativeItem | undefined): boolean {
  const valueIn = (attribute: string): unknown =>
    item !== undefined && Object.hasOwn(item, attribute) ? item[attribute] : undefined;
  switch (condition.test) {
    case "all":
      return condition.of.every((part) => holds(part, item));
    case "any":
      return condition.of.some((part) => holds(part, item));
    case "exists":
      return valueIn(condition.attribute) !== undefined;
    case "absent":
      return valueIn(condition.attribute) === undefined;
    case "equals":
      return isEqual(valueIn(condition.attribute), condition.value);
    case "differs":
      return !isEqual(valueIn(condition.attribute), condition.value);
    case "oneOf":
      return condition.values.some((value) => isEqual(valueIn(condition.attribute), value));
    default:
      return compare(condition.test, order(valueIn(condition.attribute), condition.value));
  }
}

function compare(test: Comparison, result: number | undefined): boolean {
  if (result === undefined) return false;
  if (test === "below") return result < 0;
  if (test === "atMost") return result <= 0;
  return test === "above" ? result > 0 : result >= 0;
}

/** The condition as DynamoDB reads it, every name and value through a placeholder. */
export function render(condition: Condition, through: Placeholders): string {
  switch (condition.test) {
    case "all":
    case "any":
      return join(condition.of, condition.test === "all" ? " AND " : " OR ", through);
    case "exists":
      return `attribute_exists(${through.name(condition.attribute)})`;
    case "absent":
      return `attribute_not_exists(${through.name(condition.attribute)})`;
    case "equals":
      return `${through.name(condition.attribute)} = ${through.value(condition.value)}`;
    case "differs": {
      const name = through.name(condition.attribute);
      return `(attribute_not_exists(${name}) OR ${name} <> ${through.value(condition.value)})`;
    }
    case "oneOf": {
      const name = through.name(condition.attribute);
      return `${name} IN (${condition.values.map((value) => through.value(value)).join(", ")})`;
    }
    default:
      return `${through.name(condition.attribute)} ${COMPARISONS[condition.test]} ${through.value(condition.value)}`;
  }
}

function join(parts: readonly Condition[], by: string, through: Placeholders): string {
  const texts = parts.map((part) => render(part, through));
  return texts.length === 1 ? (texts[0] as string) : `(${texts.join(by)})`;
}
