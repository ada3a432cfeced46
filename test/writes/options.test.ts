import { commit } from "lambda-once/dynamodb";
import { outbox, putIfChanged, putIfVersion, putUnique, table, transition, updateIfVersion } from "lambda-once/writes";
import { describe, expect, it } from "vitest";
import { handles, machine, newOrder, type Order } from "./kit.ts";

const { orders, plain } = handles("orders");
const bare = table<Order>()({ name: "orders", key: ["id"] });
const order = newOrder();
const on = (build: (options: never) => unknown, base: object) => (over: object) => () =>
  build({ ...base, ...over } as never);

const handle = on(table<Order>() as never, { name: "orders", key: ["id"] });
const move = on(transition, { table: orders, key: { id: "1" }, from: "created", to: "paid", machine });
const unique = on(putUnique as never, { table: bare, item: order, unique: ["orderNumber"] });
const put = on(putIfVersion, { table: orders, item: order, version: 1 });
const update = on(updateIfVersion, { table: orders, key: { id: "1" }, version: 1 });
const changed = on(putIfChanged, { table: orders, item: order });
const told = on(outbox, { table: orders, event: { id: "1", type: "T" } });

const cases: [string, () => unknown, string][] = [
  ["table", handle({ name: undefined }), "table(): name is undefined; allowed is a table's name or its ARN"],
  ["table", handle({ name: "" }), "name is ''"],
  ["table", handle({ key: [] }), "table(): key is an array"],
  ["table", handle({ key: "id" }), "table(): key is 'id'"],
  ["table", handle({ key: ["id", "id"] }), "table(): key is an array"],
  ["table", handle({ key: ["id", "a", "b"] }), "table(): key is an array"],
  ["table", handle({ key: ["__proto__"] }), "table(): key is an array"],
  ["table", handle({ state: 1 }), "table(): state is 1"],
  ["table", handle({ state: "id" }), "the attribute is 'id' for two meanings"],
  ["table", handle({ version: "createdAt" }), "the attribute is 'createdAt' for two meanings"],
  ["table", handle({ attributes: { writeId: "" } }), "attributes.writeId is ''"],
  ["table", handle({ attributes: { etag: "e" } }), "has no option 'etag'; allowed are writeId"],
  ["table", handle({ guards: { name: "g" } }), "guards.key is undefined"],
  ["table", handle({ guards: "g" }), "table() guards was given 'g'; allowed is an object with name, key"],
  ["table", handle({ clock: {} }), "clock is an object"],
  ["table", handle({ uniqueId: 1 }), "uniqueId is 1"],
  ["table", handle({ ttl: 1 }), "table() has no option 'ttl'; allowed are name, key"],

  ["a key", move({ key: undefined }), "transition(): key is undefined; allowed is an object of id"],
  ["a key", move({ key: {} }), "transition(): key.id is undefined; allowed is a key"],
  ["a key", move({ key: { id: "" } }), "key.id is ''"],
  ["a key", move({ key: { id: null } }), "key.id is null"],
  ["a key", move({ key: { id: Number.NaN } }), "key.id is NaN"],
  ["a key", move({ key: { id: { S: "1" } } }), "key.id is an object"],
  ["a key", move({ key: { id: "1", sk: "2" } }), "key is one with 'sk'; allowed is an object of id"],
  ["a key", move({ key: { id: "lambda-once:unique#1" } }), "key.id is one that begins with 'lambda-once:'"],
  ["a key", put({ item: { ...order, id: "lambda-once:event#1" } }), "item.id is one that begins with 'lambda-once:'"],
  ["an entity", put({ item: { version: 1 } }), "putIfVersion(): item.id is undefined"],
  ["an entity", put({ item: null }), "putIfVersion(): item is null; allowed is a plain object"],
  ["an entity", put({ item: [] }), "putIfVersion(): item is an array"],
  ["an entity", changed({ item: { amount: 1 } }), "putIfChanged(): item.id is undefined"],
  ["an entity", unique({ item: { orderNumber: "1" } }), "putUnique(): item.id is undefined"],

  ["transition", move({ table: bare }), "transition(): table is one without a state"],
  ["transition", move({ set: { status: "paid" } }), "set is one with 'status'"],
  ["transition", move({ set: { version: 1 } }), "set is one with 'version'"],
  ["transition", move({ set: { writeId: "1" } }), "set is one with 'writeId'"],
  ["transition", move({ set: 1 }), "transition(): set is a number; allowed is a plain object"],
  ["transition", move({ remove: ["id"] }), "remove is one with 'id'"],
  ["transition", move({ remove: "note" }), "remove is 'note'"],
  ["transition", move({ set: { note: "a" }, remove: ["note"] }), "remove is one with 'note', which is set"],
  ["transition", move({ when: { amount: 5 } }), "when.amount is 5; allowed is an object of exists, oneOf, equals"],
  ["transition", move({ when: { amount: {} } }), "when.amount is without a test"],
  ["transition", move({ when: { amount: { equals: undefined } } }), "when.amount is without a test"],
  ["transition", move({ when: { amount: { is: 5 } } }), "when.amount is a test 'is'; allowed is exists, oneOf"],
  ["transition", move({ when: { amount: { oneOf: [] } } }), "when.amount.oneOf is an array"],
  ["transition", move({ when: { amount: { oneOf: Array(101).fill(1) } } }), "allowed is a list of 1 to 100 values"],
  [
    "transition",
    move({ when: { amount: { exists: "yes" } } }),
    "when.amount.exists is 'yes'; allowed is true or false",
  ],
  ["transition", move({ when: [] }), "when is an array"],
  ["transition", move({ version: 1 }), "transition() has no option 'version'"],

  ["putIfVersion", put({ table: plain }), "putIfVersion(): table is one without a version"],
  ["putIfVersion", put({ version: "1" }), "putIfVersion(): version is '1'; allowed is a whole number from 0"],
  ["putIfVersion", put({ version: -1 }), "version is -1"],
  ["putIfVersion", put({ version: 1.5 }), "version is 1.5"],
  ["putIfVersion", put({ version: Number.NaN }), "version is NaN"],
  ["putIfVersion", put({ version: undefined, item: { ...order, version: "3" } }), "version is '3'"],
  ["updateIfVersion", update({ table: plain }), "updateIfVersion(): table is one without a version"],
  ["updateIfVersion", update({ version: undefined }), "version is undefined; allowed is a whole number from 1"],
  ["updateIfVersion", update({ version: 0 }), "version is 0"],
  ["updateIfVersion", update({ version: [1, "2"] }), "version is '2'"],
  ["updateIfVersion", update({ version: "*" }), "version is '*'"],
  ["updateIfVersion", update({ version: Array.from({ length: 101 }, (_, at) => at + 1) }), "version is a list of 101"],
  ["updateIfVersion", update({ set: { version: 2 } }), "set is one with 'version'"],

  ["putIfChanged", changed({ initial: { id: "2" } }), "initial is one with 'id'"],
  ["putIfChanged", changed({ initial: { createdAt: 2 } }), "initial is one with 'createdAt'"],
  ["putIfChanged", changed({ initial: { amount: 2 } }), "initial is one with 'amount', which the item has"],
  ["putIfChanged", changed({ ignore: "note" }), "ignore is 'note'"],
  ["putIfChanged", changed({ item: { ...order, note: "\ud800" } }), "allowed is strings without lone surrogates"],

  ["putUnique", unique({ unique: [] }), "putUnique(): unique is an empty list"],
  ["putUnique", unique({ unique: "orderNumber" }), "putUnique(): unique is 'orderNumber'"],
  ["putUnique", unique({ unique: [1] }), "unique[0] is 1"],
  ["putUnique", unique({ unique: [[]] }), "unique[0] is an empty list"],
  ["putUnique", unique({ unique: [["amount", "amount"]] }), "unique[0] is a list with one field twice"],
  ["putUnique", unique({ unique: ["amount", "amount"] }), "unique is a list with 'amount' twice"],
  ["putUnique", unique({ unique: ["amount", { fields: ["amount"] }] }), "unique is a list with 'amount' twice"],
  ["putUnique", unique({ unique: [{ fields: "amount", name: "" }] }), "unique[0].name is ''"],
  ["putUnique", unique({ unique: [{ fields: "amount", normalise: "lower" }] }), "unique[0].normalise is 'lower'"],
  ["putUnique", unique({ unique: [{ field: "amount" }] }), "unique[0] has no option 'field'"],
  ["putUnique", unique({ item: undefined }), "putUnique(): item is undefined"],
  ["putUnique", unique({ previous: { id: "another" } }), "previous is one with another 'id' than the item's"],
  ["putUnique", unique({ table: orders, previous: { orderNumber: "1" } }), "previous.version is undefined"],
  [
    "putUnique",
    unique({ item: { ...order, id: 7 } }),
    "item.id is no string; allowed is a string, or the option guards",
  ],
  [
    "putUnique",
    () => {
      const named = table<{ uniqueOwner: string; a: string }>()({ name: "t-1", key: ["uniqueOwner"] });
      return putUnique({ table: named, item: { uniqueOwner: "1", a: "1" }, unique: ["a"] });
    },
    "the table's key is 'uniqueOwner'",
  ],

  [
    "outbox",
    told({ event: undefined }),
    "outbox() event was given undefined; allowed is an object with id, type, data",
  ],
  ["outbox", told({ event: { type: "T" } }), "outbox(): event.id is undefined"],
  ["outbox", told({ event: { id: "", type: "T" } }), "event.id is ''"],
  ["outbox", told({ event: { id: "x".repeat(513), type: "T" } }), "event.id is 513 characters long"],
  ["outbox", told({ event: { id: "1" } }), "event.type is undefined"],
  ["outbox", told({ event: { id: "1", type: "T", source: "s" } }), "has no option 'source'"],
  [
    "outbox",
    told({ event: { id: "1", type: "T", data: new Date() } }),
    "an instance of Date is not a JSON value at $.data",
  ],
  ["outbox", told({ expiresAfter: { hours: 0 } }), "expiresAfter is { hours: 0 }"],
];

describe("what cannot be is refused when it is made", () => {
  it.each(cases)("%s, case %#", (_, attempt, message) => {
    expect(attempt).toThrow(expect.objectContaining({ code: "config", message: expect.stringContaining(message) }));
  });

  it("shows nothing of an item's contents", () => {
    const secret = "4242 4242 4242 4242";
    const attempt = put({ item: { id: "1", version: 0, cards: { [secret]: new Date() } } });
    expect(attempt).toThrow(/holds an instance of Date at \$\.cards\[…\]/);
    expect(attempt).not.toThrow(secret);
  });
});

describe("commit()", () => {
  const write = () => move({})() as never;
  const client = { send: async () => ({}) };

  it.each([
    ["no client", undefined, () => [write()], "commit(): client is undefined without send()"],
    ["no list", client, () => write(), "commit() was given an object; allowed is a list of one or more writes"],
    ["nothing to write", client, () => [], "commit() was given an empty list"],
    ["what is no write", client, () => [{}], "write 0 "],
    [
      "two builders on one item that disagree",
      client,
      () => [write(), put({ item: { ...order, id: "1" } })()],
      "putIfVersion() and transition() want different things of the attribute 'status'",
    ],
    [
      "a hundred items",
      client,
      () => Array.from({ length: 100 }, (_, at) => move({ key: { id: `${at}` } })()),
      "a commit of 100 items",
    ],
  ])("refuses %s", async (_, given, writes, message) => {
    const attempt = async () => commit(given as never, writes() as never);
    await expect(attempt()).rejects.toThrow(
      expect.objectContaining({ code: "config", message: expect.stringContaining(message) }),
    );
  });
});
