import { currentClaim, idempotent, memoryStore } from "lambda-once";
import type { Writable } from "lambda-once/dynamodb";
import { memoryTables } from "lambda-once/testing";
import { outbox, putIfChanged, putIfVersion, putUnique, transition, updateIfVersion } from "lambda-once/writes";
import { describe, expect, it } from "vitest";
import { handles, machine, newOrder, type Order } from "./kit.ts";

const { orders } = handles("orders");
const key = { id: "o-1" };
const unique = ["orderNumber"] as const;
const order: Order = { ...newOrder(), id: "o-1", version: 3 };

/** What a write comes to in a function's own tests, on an order that stands there or on nothing. */
async function outcomesOf(stored: Order | undefined, ...writes: Writable[]) {
  const tables = memoryTables({ orders: { key: ["id"] } });
  if (stored !== undefined) tables.put("orders", { ...stored });
  const run = idempotent(
    async (_: string) => {
      const { outcomes } = await currentClaim().commit(writes, { result: "done" });
      return outcomes;
    },
    { store: memoryStore({ tables }), operation: "write" },
  );
  const answer: unknown = await run("key");
  return { answer, items: tables.items("orders") };
}

describe("a write under a claim of the memory store", () => {
  it.each<[string, Order | undefined, Writable[], number, object]>([
    [
      "transition()",
      order,
      [transition({ table: orders, key, from: "created", to: "paid", machine })],
      1,
      { status: "paid", version: 4 },
    ],
    [
      "putIfVersion()",
      order,
      [putIfVersion({ table: orders, item: { ...order, amount: 9 } })],
      1,
      { amount: 9, version: 4 },
    ],
    [
      "updateIfVersion()",
      order,
      [updateIfVersion({ table: orders, key, version: [2, 3], remove: ["amount"] })],
      1,
      { version: 4 },
    ],
    ["putUnique()", undefined, [putUnique({ table: orders, item: order, unique })], 2, { version: 1 }],
    ["a deletion", order, [putUnique({ table: orders, previous: order, unique })], 0, {}],
    ["outbox()", order, [outbox({ table: orders, event: { id: "e", type: "T" } })], 2, order],
    [
      "putIfChanged() with a version",
      order,
      [
        putIfChanged({ table: orders, item: { ...key, orderNumber: "n", amount: 1, note: undefined, paidAt: 1 } }),
        updateIfVersion({ table: orders, key, version: 3 }),
      ],
      1,
      { amount: 1, version: 4, status: "created" },
    ],
  ])("is carried out: %s", async (_, stored, writes, count, expected) => {
    const { items } = await outcomesOf(stored, ...writes);
    expect(items).toHaveLength(count);
    if (count > 0) expect(items[0]).toMatchObject(expected);
  });

  it.each<[string, Order | undefined, Writable, object]>([
    [
      "illegal",
      { ...order, status: "shipped" },
      transition({ table: orders, key, from: "created", to: "paid", machine }),
      { state: "shipped" },
    ],
    [
      "already",
      { ...order, status: "paid" },
      transition({ table: orders, key, from: "created", to: "paid", machine }),
      { state: "paid" },
    ],
    ["stale", order, putIfVersion({ table: orders, item: order, version: 2 }), { current: order }],
    ["stale", order, updateIfVersion({ table: orders, key, version: [] }), { current: order }],
    ["stale", undefined, updateIfVersion({ table: orders, key, version: "any" }), { current: undefined }],
    ["duplicate", order, putUnique({ table: orders, item: order, unique }), { field: "id", existing: key }],
  ])("is an outcome where it is refused: %s", async (outcome, stored, write, more) => {
    const { answer, items } = await outcomesOf(stored, write);
    expect(answer).toMatchObject([{ outcome, ...more }]);
    expect(items).toStrictEqual(stored === undefined ? [] : [stored]);
  });
});
