import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { NativeItem, WriteAction } from "../../../src/core/write.ts";
import { type MemoryTables, memoryTables } from "../../../src/store/memory-tables/memory-tables.ts";
import { localDynamoDB } from "../../support/dynamodb.ts";
import { attributes, conditions, fields, updates } from "./expressions.ts";

const local = await localDynamoDB();
const TableName = await local.createTable();
const client = local.client();
const documents = DynamoDBDocumentClient.from(client);
afterAll(() => client.destroy());

let ids = 0;
const freshId = (): string => `item-${ids++}`;

/** What a transaction came to, in the same words for both. */
type Outcome =
  | "committed"
  | "invalid"
  | "beyond JavaScript's numbers"
  | readonly ({ readonly found: NativeItem | undefined } | undefined)[];

function inMemory(tables: MemoryTables, actions: readonly WriteAction[]): Outcome {
  try {
    const outcome = tables.transact(actions);
    return outcome.committed ? "committed" : outcome.refusals;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== "config") throw error;
    return message.includes("more digits than a JavaScript number") ? "beyond JavaScript's numbers" : "invalid";
  }
}

async function inDynamoDB(actions: readonly WriteAction[]): Promise<Outcome> {
  const asking = actions.map((action) =>
    Object.fromEntries(
      Object.entries(action).map(([kind, of]) => [kind, { ...of, ReturnValuesOnConditionCheckFailure: "ALL_OLD" }]),
    ),
  );
  try {
    await documents.send(new TransactWriteCommand({ TransactItems: asking as WriteAction[] }));
    return "committed";
  } catch (error) {
    const { name, CancellationReasons } = error as {
      name: string;
      CancellationReasons?: readonly { readonly Code?: string; readonly Item?: Record<string, AttributeValue> }[];
    };
    if (name === "ValidationException") return "invalid";
    if (CancellationReasons === undefined) throw error;
    if (CancellationReasons.some(({ Code }) => Code === "ConditionalCheckFailed")) {
      return CancellationReasons.map((reason) =>
        reason.Code === "ConditionalCheckFailed" ? { found: reason.Item && unmarshall(reason.Item) } : undefined,
      );
    }
    if (CancellationReasons.some(({ Code }) => Code === "ValidationError")) return "invalid";
    throw error;
  }
}

const stored = async (id: string): Promise<NativeItem | undefined> =>
  (await documents.send(new GetCommand({ TableName, Key: { id }, ConsistentRead: true }))).Item;

function tablesWith(items: readonly NativeItem[]): MemoryTables {
  const tables = memoryTables({ [TableName]: { key: ["id"] } });
  for (const item of items) tables.put(TableName, item);
  return tables;
}

const put = async (Item: NativeItem): Promise<unknown> => documents.send(new PutCommand({ TableName, Item }));

/** Carries out the actions in both and compares the outcomes. */
async function expectOneOutcome(tables: MemoryTables, actions: readonly WriteAction[]): Promise<void> {
  const ours = inMemory(tables, actions);
  if (ours !== "beyond JavaScript's numbers") expect(ours).toEqual(await inDynamoDB(actions));
  const word = typeof ours === "string" ? ours : "refused";
  seen.set(word, (seen.get(word) ?? 0) + 1);
}

const seen = new Map<string, number>();
beforeEach(() => seen.clear());

/** More of them are for the day on which the evaluator changes; these take some seconds. */
const RUNS = Number(process.env["MEMORY_TABLES_RUNS"] ?? 40);
const TIMEOUT = 10_000 + RUNS * 500;

describe("memory tables and DynamoDB", () => {
  it("agree on every condition", { timeout: TIMEOUT }, async () => {
    const several = fc.array(conditions, { minLength: 12, maxLength: 12 });
    const property = fc.asyncProperty(attributes, several, async (attributes, several) => {
      const id = freshId();
      const item = { ...attributes, id };
      await put(item);
      const tables = tablesWith([item]);
      await Promise.all(
        several.map((ConditionExpression) => {
          const check = { TableName, Key: { id }, ...fields({ ConditionExpression }) };
          return expectOneOutcome(tables, [{ ConditionCheck: check as never }]);
        }),
      );
    });
    await fc.assert(property, { numRuns: RUNS });
    expect([...seen.keys()]).toEqual(expect.arrayContaining(["committed", "refused", "invalid"]));
  });

  it("agree on every update, of items that are there and of absent ones", { timeout: TIMEOUT }, async () => {
    const condition = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, conditions);
    const one = fc.tuple(fc.option(attributes, { freq: 9 }), updates, condition);
    const property = fc.asyncProperty(fc.array(one, { minLength: 6, maxLength: 6 }), async (cases) => {
      await Promise.all(
        cases.map(async ([attributes, UpdateExpression, ConditionExpression]) => {
          const id = freshId();
          const items = attributes === null ? [] : [{ ...attributes, id }];
          await Promise.all(items.map(put));
          const tables = tablesWith(items);
          const expressions = { UpdateExpression, ...(ConditionExpression && { ConditionExpression }) };
          const Update = { TableName, Key: { id }, ...fields(expressions) } as never;
          if (inMemory(tablesWith(items), [{ Update }]) === "beyond JavaScript's numbers") return;
          await expectOneOutcome(tables, [{ Update }]);
          expect(tables.get(TableName, { id })).toEqual(await stored(id));
        }),
      );
    });
    await fc.assert(property, { numRuns: RUNS });
    expect([...seen.keys()]).toEqual(expect.arrayContaining(["committed", "refused", "invalid"]));
  });

  it("agree on transactions of several actions: all of them, or none", { timeout: TIMEOUT }, async () => {
    const action = fc.record({
      kind: fc.constantFrom("Put", "Update", "Delete", "ConditionCheck"),
      before: fc.option(attributes, { freq: 3 }),
      after: attributes,
      update: fc.constantFrom("SET x = :x REMOVE b", "SET x = :x, m = n"),
      condition: fc.constantFrom(
        "attribute_exists(id)",
        "attribute_not_exists(id)",
        "attribute_not_exists(ss) OR attribute_exists(n)",
      ),
    });
    const property = fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 3 }), async (given) => {
      const cases = given.map((one) => ({ ...one, id: freshId() }));
      const items = cases.flatMap(({ id, before }) => (before === null ? [] : [{ ...before, id }]));
      const actions = cases.map(({ kind, id, after, condition, update }): WriteAction => {
        const common = { TableName, ConditionExpression: condition };
        if (kind === "Put") return { Put: { ...common, Item: { ...after, id } } };
        if (kind !== "Update") return { [kind]: { ...common, Key: { id } } };
        return {
          Update: {
            ...common,
            Key: { id },
            UpdateExpression: update,
            ExpressionAttributeValues: { ":x": after },
          },
        };
      });
      await Promise.all(items.map(put));
      const tables = tablesWith(items);
      await expectOneOutcome(tables, actions);
      for (const { id } of cases) expect(tables.get(TableName, { id })).toEqual(await stored(id));
    });
    await fc.assert(property, { numRuns: RUNS });
    expect([...seen.keys()]).toEqual(expect.arrayContaining(["committed", "refused"]));
  });
});
