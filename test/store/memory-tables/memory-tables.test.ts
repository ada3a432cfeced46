import { NumberValue } from "@aws-sdk/lib-dynamodb";
import { memoryTables } from "lambda-once/testing";
import { describe, expect, it } from "vitest";
import type { WriteAction } from "../../../src/core/write.ts";
import type { MemoryTables } from "../../../src/store/memory-tables/memory-tables.ts";

const tablesOf = (): MemoryTables => memoryTables({ orders: { key: ["id"] }, audit: { key: ["tenant", "at"] } });
const ABSENT = "attribute_not_exists(id)";
const config = (message: string): unknown =>
  expect.objectContaining({ code: "config", message: expect.stringContaining(message) });

describe("memory tables", () => {
  it("carry out all actions of a transaction, on several tables", () => {
    const tables = tablesOf();
    tables.put("orders", { id: "old", n: 1 });
    tables.put("orders", { id: "gone" });
    const outcome = tables.transact([
      { Put: { TableName: "orders", Item: { id: "new", n: 1 }, ConditionExpression: ABSENT } },
      { Put: { TableName: "audit", Item: { tenant: "t", at: 1, what: "order" } } },
      { Delete: { TableName: "orders", Key: { id: "gone" }, ConditionExpression: "attribute_exists(id)" } },
      { Delete: { TableName: "orders", Key: { id: "never there" } } },
      { ConditionCheck: { TableName: "orders", Key: { id: "other" }, ConditionExpression: ABSENT } },
      {
        Update: {
          TableName: "orders",
          Key: { id: "old" },
          UpdateExpression: "ADD n :one",
          ConditionExpression: "n = :one",
          ExpressionAttributeValues: { ":one": 1 },
        },
      },
    ]);
    expect(outcome).toStrictEqual({ committed: true });
    expect(tables.items("orders")).toStrictEqual([
      { id: "old", n: 2 },
      { id: "new", n: 1 },
    ]);
    expect(tables.get("audit", { at: 1, tenant: "t" })).toStrictEqual({ tenant: "t", at: 1, what: "order" });
  });

  it("carry out none where a condition fails, and say which and what was found", () => {
    const tables = tablesOf();
    tables.put("orders", { id: "taken", n: 1 });
    const outcome = tables.transact([
      { Put: { TableName: "orders", Item: { id: "new" } } },
      { Put: { TableName: "orders", Item: { id: "taken" }, ConditionExpression: ABSENT } },
      { Delete: { TableName: "orders", Key: { id: "absent" }, ConditionExpression: "attribute_exists(id)" } },
    ]);
    expect(outcome).toStrictEqual({
      committed: false,
      refusals: [undefined, { found: { id: "taken", n: 1 } }, { found: undefined }],
    });
    expect(tables.items("orders")).toStrictEqual([{ id: "taken", n: 1 }]);
  });

  it("carry out none where one action turns out to be invalid on its item, even where another one is refused", () => {
    const tables = tablesOf();
    const broken = { Key: { id: "b" }, UpdateExpression: "SET n = n + :a", ExpressionAttributeValues: { ":a": 1 } };
    expect(() =>
      tables.transact([
        { Put: { TableName: "orders", Item: { id: "a" } } },
        { Update: { TableName: "orders", ...broken } },
        { ConditionCheck: { TableName: "orders", Key: { id: "c" }, ConditionExpression: "attribute_exists(id)" } },
      ]),
    ).toThrow(config("action 1, Update in table 'orders', UpdateExpression 'SET n = n + :a': a value is taken from"));
    expect(tables.items("orders")).toStrictEqual([]);
  });

  it("keep copies: what was put in or taken out can be changed without a trace", () => {
    const tables = tablesOf();
    const item = { id: "a", list: [{ n: 1 }], set: new Set(["x"]), bytes: new Uint8Array([1]) };
    const same = structuredClone(item);
    tables.put("orders", item);
    const spoil = (one: typeof item): void => {
      (one.list[0] as { n: number }).n = 2;
      one.set.add("y");
      one.bytes[0] = 9;
    };
    spoil(item);
    spoil(tables.get("orders", { id: "a" }) as typeof item);
    spoil(tables.items("orders")[0] as typeof item);
    const refused = tables.transact([{ Put: { TableName: "orders", Item: { id: "a" }, ConditionExpression: ABSENT } }]);
    spoil((refused as unknown as { refusals: [{ found: typeof item }] }).refusals[0].found);
    expect(tables.get("orders", { id: "a" })).toStrictEqual(same);
  });

  it("hold every kind of value, numbers in one form", () => {
    const tables = tablesOf();
    const values = { s: "", yes: true, nul: null, list: [], map: {}, set: new Set([1, 2n]), zero: -0, big: 2n ** 60n };
    tables.put("orders", { id: "a", ...values, small: 7n, bytes: Buffer.from([1]) });
    expect(tables.get("orders", { id: "a" })).toStrictEqual({
      id: "a",
      ...values,
      set: new Set([1, 2]),
      zero: 0,
      small: 7,
      bytes: new Uint8Array([1]),
    });
  });

  it("take __proto__ and constructor for names like any other", () => {
    const tables = tablesOf();
    const item = JSON.parse('{ "id": "a", "__proto__": { "polluted": 1 } }') as Record<string, unknown>;
    tables.put("orders", item);
    const names = { "#p": "__proto__", "#c": "constructor" };
    const Key = { id: "a" };
    const outcome = tables.transact([
      {
        Update: {
          TableName: "orders",
          Key,
          UpdateExpression: "SET #p.polluted = :two, #c = :two",
          ConditionExpression: "#p.polluted = :one AND attribute_not_exists(#c)",
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: { ":one": 1, ":two": 2 },
        },
      },
    ]);
    expect(outcome.committed).toBe(true);
    const found = tables.get("orders", Key) as object;
    expect(Object.getOwnPropertyDescriptor(found, "__proto__")?.value).toEqual({ polluted: 2 });
    expect(Object.entries(found)).toHaveLength(3);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("find no attribute on an item that is not there, whatever its name", () => {
    const check = { TableName: "orders", Key: { id: "a" }, ExpressionAttributeNames: { "#c": "constructor" } };
    const outcome = tablesOf().transact([
      { ConditionCheck: { ...check, ConditionExpression: "attribute_exists(#c)" } },
    ]);
    expect(outcome).toStrictEqual({ committed: false, refusals: [{ found: undefined }] });
  });

  it("tell keys of different types apart, and equal numbers not", () => {
    const tables = tablesOf();
    for (const id of ["1", 1, 1n, new Uint8Array([1])]) tables.put("orders", { id });
    expect(tables.items("orders")).toStrictEqual([{ id: "1" }, { id: 1 }, { id: new Uint8Array([1]) }]);
  });
});

describe("an action that DynamoDB refuses", () => {
  const table = { TableName: "orders" };
  class Order {
    readonly id = "a";
  }
  const cyclic: Record<string, unknown> = { id: "a" };
  cyclic["self"] = cyclic;
  const put = (Item: unknown): WriteAction => ({ Put: { ...table, Item: Item as Record<string, unknown> } });
  const bulky = { ...table, Key: { id: "a" } };

  it.each<[string, WriteAction, string]>([
    ["no action", {}, "action 0: allowed is an object with one of Put, Update, Delete, ConditionCheck"],
    ["two in one", { ...put({ id: "a" }), Delete: bulky }, "allowed is an object with one of"],
    ["of another kind", { ...put({ id: "a" }), Get: bulky } as WriteAction, "allowed is an object with one of"],
    ["nothing in it", { Put: null } as never, "allowed is an object with one of"],
    ["null", null as never, "allowed is an object with one of"],
    ["an unknown table", { Delete: { ...bulky, TableName: "order" } }, "no table 'order'; there are 'orders', 'audit'"],
    ["an unknown field", { Delete: { ...bulky, Condition: "x" } as never }, "there is no 'Condition'"],
    ["no item", put(undefined), "Put in table 'orders': Item: undefined is no object of native values"],
    ["a class instance", put(new Order()), "an instance of Order is no object of native values"],
    ["a Put without its key", put({ n: 1 }), "the key's 'id' is missing; allowed are S, N, B"],
    ["a key of a wrong type", put({ id: true }), "the key's 'id' is of type BOOL; allowed are S, N, B"],
    ["an empty key", put({ id: "" }), "the key's 'id' is empty"],
    [
      "a key too long",
      { Delete: { ...table, Key: { id: "a", at: 1 } } },
      "a key has the attribute 'at'; allowed are 'id'",
    ],
    ["a key too short", { Delete: { TableName: "audit", Key: { tenant: "a" } } }, "the key's 'at' is missing"],
    ["undefined", put({ id: "a", x: undefined }), "undefined is no value of an item"],
    ["a hole", put({ id: "a", x: new Array(1) }), "undefined is no value of an item"],
    ["a Date", put({ id: "a", x: new Date() }), "an instance of Date is no value of an item"],
    ["a NumberValue", put({ id: "a", x: NumberValue.from("1") }), "an instance of NumberValue is no value of an item"],
    ["a Map", put({ id: "a", x: new Map() }), "an instance of Map is no value of an item"],
    ["a function", put({ id: "a", x: () => 1 }), "a function is no value of an item"],
    ["NaN", put({ id: "a", x: Number.NaN }), "a number is not safe"],
    ["an unsafe number", put({ id: "a", x: 2 ** 53 }), "a number is not safe; allowed is a BigInt"],
    ["a tiny number", put({ id: "a", x: 1e-131 }), "a number is outside of DynamoDB's range"],
    ["too many digits", put({ id: "a", x: 10n ** 39n + 1n }), "a number has 40 digits; allowed are 38"],
    ["an empty Set", put({ id: "a", x: new Set() }), "a Set is empty or mixed"],
    ["a mixed Set", put({ id: "a", x: new Set([1, "1"]) }), "a Set is empty or mixed"],
    ["a Set of booleans", put({ id: "a", x: new Set([true]) }), "a Set is empty or mixed"],
    ["a Set with a double", put({ id: "a", x: new Set([1, 1n]) }), "a Set holds the same value twice"],
    ["a Set of numbers and BigInts", put({ id: "a", x: new Set([1, 2n ** 60n]) }), "the Set begins with a BigInt"],
    ["an empty name", put({ id: "a", x: { "": 1 } }), "an attribute's name is empty"],
    ["a cycle", put(cyclic), "nests deeper than 32 levels, or is a cycle"],
    ["an item too large", put({ id: "a", x: "x".repeat(409_600) }), "allowed are 409600"],
    ["a check without a condition", { ConditionCheck: bulky as never }, "a ConditionCheck has no ConditionExpression"],
    ["an update without one", { Update: bulky as never }, "an Update has no UpdateExpression"],
    ["no text", { Delete: { ...bulky, ConditionExpression: 1 as never } }, "ConditionExpression is 1"],
    ["placeholders of nothing", { Delete: { ...bulky, ExpressionAttributeNames: { "#a": "b" } } }, "#a stands in no"],
    ["empty values", { Delete: { ...bulky, ExpressionAttributeValues: {} } }, "ExpressionAttributeValues is empty"],
    ["empty names", { Delete: { ...bulky, ExpressionAttributeNames: {} } }, "ExpressionAttributeNames is empty"],
    [
      "a wrong placeholder",
      { Delete: { ...bulky, ExpressionAttributeNames: { a: "b" } } },
      "allowed are names like #n1",
    ],
    [
      "an empty name behind one",
      { Delete: { ...bulky, ExpressionAttributeNames: { "#a": "" } } },
      "#a of ExpressionAttri",
    ],
    [
      "undefined behind one",
      { Delete: { ...bulky, ExpressionAttributeValues: { ":a": undefined } } },
      ":a of Expression",
    ],
  ])("is a config error: %s", (_, action, message) => {
    const tables = tablesOf();
    expect(() => tables.transact([action])).toThrow(config(message));
    expect(tables.items("orders")).toStrictEqual([]);
  });

  it("is one of two on the same item, however its key is written", () => {
    const tables = tablesOf();
    const twice: WriteAction[] = [
      { Put: { TableName: "audit", Item: { tenant: "t", at: 1 } } },
      { Put: { TableName: "orders", Item: { id: "t" } } },
      { Delete: { TableName: "audit", Key: { at: 1n, tenant: "t" } } },
    ];
    expect(() => tables.transact(twice)).toThrow(config("action 2: is on the same item as action 0"));
    expect(tables.items("audit")).toStrictEqual([]);
  });

  it("names put, get and items where these are given what is wrong", () => {
    const tables = tablesOf();
    expect(() => tables.put("orders", { n: 1 })).toThrow(config("put: the key's 'id' is missing"));
    expect(() => tables.get("orders", { n: 1 })).toThrow(config("get: a key has the attribute 'n'"));
    expect(() => tables.items("order")).toThrow(config("items: there is no table 'order'"));
  });
});

describe("the definition of memory tables", () => {
  it.each<[string, unknown, string]>([
    ["no object", undefined, "was given undefined"],
    ["no table", {}, "was given an object"],
    ["a table without a key", { orders: {} }, "the table 'orders' is no table; allowed is { key: [partition key] }"],
    ["a key of no names", { orders: { key: [] } }, "the table 'orders' is no table"],
    ["a key of three", { orders: { key: ["a", "b", "c"] } }, "the table 'orders' is no table"],
    ["a key of one name twice", { orders: { key: ["a", "a"] } }, "the table 'orders' is no table"],
    ["a name for a key", { orders: { key: "id" } }, "the table 'orders' is no table"],
    ["an unknown option", { orders: { key: ["id"], ttl: "at" } }, "the table 'orders' is no table"],
  ])("is refused where it is %s", (_, definitions, message) => {
    expect(() => memoryTables(definitions as never)).toThrow(config(`memoryTables(): ${message}`));
  });
});
