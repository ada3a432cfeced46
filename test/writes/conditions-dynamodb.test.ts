import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { fc, test } from "@fast-check/vitest";
import { commit } from "lambda-once/dynamodb";
import { describe, expect, it } from "vitest";
import { type Condition, holds, render } from "../../src/writes/condition.ts";
import { placeholders } from "../../src/writes/placeholders.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { put } from "./kit.ts";

const local = await localDynamoDB();
const name = await local.createTable();
const client = local.client();
const document = DynamoDBDocumentClient.from(client);

/** What DynamoDB says. */
async function asked(condition: Condition, id: string): Promise<boolean> {
  const { ExpressionAttributeNames, ExpressionAttributeValues, ...through } = placeholders();
  const ConditionExpression = render(condition, { ExpressionAttributeNames, ExpressionAttributeValues, ...through });
  const values = Object.keys(ExpressionAttributeValues).length > 0 && { ExpressionAttributeValues };
  const check = { TableName: name, Key: { id }, ConditionExpression, ExpressionAttributeNames, ...values };
  return (await commit(client, [{ ConditionCheck: check }])).committed;
}

const scalar = fc.oneof(
  fc.constantFrom<unknown>("", "a", "b", "ä", "\u{1f600}", "\uffff", 0, 1, -1, 1.5, 2n ** 60n, true, false, null),
  fc.constantFrom<unknown>(Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(0, 255)),
);
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.constantFrom<unknown>([], [1], [1, "a"], {}, { a: 1 }, { a: 1, b: [null] }, { b: [null], a: 1 }),
  fc.constantFrom<unknown>(new Set([1, 2]), new Set([2, 1]), new Set(["a"]), new Set([Uint8Array.of(1)])),
);
const attribute = fc.constantFrom("a", "b.c", "size(x)", "#n0", "SELECT");
const comparable = fc.constantFrom<unknown>("", "a", "\u{1f600}", "\uffff", 0, 1, 2n ** 60n, Uint8Array.of(1));
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ test: fc.constantFrom("exists", "absent"), attribute }),
  fc.record({ test: fc.constantFrom("equals", "differs"), attribute, value }),
  fc.record({ test: fc.constantFrom("below", "atMost", "above", "atLeast"), attribute, value: comparable }),
  fc.record({
    test: fc.constant("oneOf" as const),
    attribute,
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
  }),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    fc.record({
      test: fc.constantFrom("all", "any"),
      of: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }),
    }),
  ),
}));
const item = fc.dictionary(attribute, value, { maxKeys: 4, noNullPrototype: true });

/** Many round trips; the machine may be busy. */
const PATIENCE = 60_000;

describe("a condition", () => {
  test.prop([item, condition], { numRuns: 200 })(
    "holds here exactly where it holds in DynamoDB",
    async (found, test) => {
      await put(document, name, { id: "x", ...found });
      expect(holds(test, found)).toBe(await asked(test, "x"));
    },
    PATIENCE,
  );

  test.prop([condition], { numRuns: 50 })(
    "on nothing holds here exactly where it does in DynamoDB",
    async (test) => {
      expect(holds(test, undefined)).toBe(await asked(test, "nobody"));
    },
    PATIENCE,
  );

  it("orders strings by their bytes, as DynamoDB does, and not by their UTF-16 units", async () => {
    await put(document, name, { id: "y", a: "\uffff" });
    const below: Condition = { test: "below", attribute: "a", value: "\u{1f600}" };
    expect([holds(below, { a: "\uffff" }), await asked(below, "y")]).toStrictEqual([true, true]);
  });
});
