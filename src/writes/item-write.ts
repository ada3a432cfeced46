import type { NativeItem, WriteAction } from "../core/write.ts";
import { type Condition, render } from "./condition.ts";
import { type Placeholders, placeholders } from "./placeholders.ts";

/** What becomes of one attribute. */
export type Assignment =
  | { readonly op: "set"; readonly value: unknown }
  /** One more than what stands there, 1 where nothing does. `from`: what stands there, where the condition says so. */
  | { readonly op: "grow"; readonly from: number | undefined }
  /** `value` where nothing stands there. */
  | { readonly op: "keep"; readonly value: unknown }
  | { readonly op: "remove" };

/**
 * What one write does to one item, not yet rendered, so that it can be merged with another one's. A `put` replaces the
 * whole item; only `set`, and `grow` with a known `from`, make sense there.
 */
export interface ItemWrite {
  readonly verb: "put" | "update" | "delete";
  /** The builder's name, for messages. */
  readonly by: string;
  readonly table: string;
  readonly key: NativeItem;
  readonly assignments: ReadonlyMap<string, Assignment>;
  readonly condition: Condition;
  /** Left in the item under `attribute`; a deletion leaves nothing. */
  readonly writeId?: { readonly attribute: string; readonly id: string } | undefined;
  /** See `WritePart`. */
  readonly mayRepeat?: boolean | undefined;
}

/** The write as DynamoDB takes it. */
export function toAction(write: ItemWrite): WriteAction {
  const { verb, table: TableName, key: Key } = write;
  const through = placeholders();
  const ConditionExpression = render(write.condition, through);
  switch (verb) {
    case "put":
      return { Put: { TableName, Item: itemOf(write), ConditionExpression, ...expressions(through) } };
    case "update": {
      const UpdateExpression = updateOf(write.assignments, through);
      return { Update: { TableName, Key, UpdateExpression, ConditionExpression, ...expressions(through) } };
    }
    case "delete":
      return { Delete: { TableName, Key, ConditionExpression, ...expressions(through) } };
  }
}

function expressions({ ExpressionAttributeNames, ExpressionAttributeValues }: Placeholders): {
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues?: NativeItem;
} {
  const some = Object.keys(ExpressionAttributeValues).length > 0;
  return { ExpressionAttributeNames, ...(some && { ExpressionAttributeValues }) };
}

function itemOf({ key, assignments }: ItemWrite): NativeItem {
  const item: NativeItem = { ...key };
  for (const [attribute, assignment] of assignments) {
    if (assignment.op === "set") item[attribute] = assignment.value;
    if (assignment.op === "grow") item[attribute] = (assignment.from ?? 0) + 1;
  }
  return item;
}

function updateOf(assignments: ReadonlyMap<string, Assignment>, through: Placeholders): string {
  const sets: string[] = [];
  const removes: string[] = [];
  for (const [attribute, assignment] of assignments) {
    const name = through.name(attribute);
    switch (assignment.op) {
      case "set":
        sets.push(`${name} = ${through.value(assignment.value)}`);
        break;
      case "keep":
        sets.push(`${name} = if_not_exists(${name}, ${through.value(assignment.value)})`);
        break;
      case "grow":
        sets.push(`${name} = if_not_exists(${name}, ${through.value(0)}) + ${through.value(1)}`);
        break;
      case "remove":
        removes.push(name);
    }
  }
  const clauses = [
    ["SET", sets],
    ["REMOVE", removes],
  ] as const;
  return clauses
    .filter(([, parts]) => parts.length > 0)
    .map(([word, parts]) => `${word} ${parts.join(", ")}`)
    .join(" ");
}
