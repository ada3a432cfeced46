import { describe, expect, it } from "vitest";
import type { SqsRecord } from "../../../src/batch.ts";
import { currentClaim, IdempotencyOutcomeUnknownError } from "../../../src/index.ts";
import { memoryTables, testingStore } from "../../../src/testing.ts";
import { bench, message } from "./kit.ts";

const count = (id: string) => ({
  Update: {
    TableName: "payments",
    Key: { id },
    UpdateExpression: "ADD #n :one",
    ExpressionAttributeNames: { "#n": "n" },
    ExpressionAttributeValues: { ":one": 1 },
  },
});

function setUp(fn: (one: SqsRecord) => unknown, more: object = {}) {
  const tables = memoryTables({ payments: { key: ["id"] } });
  const store = testingStore({ tables });
  return { ...bench(fn, { store, ...more }), tables, store };
}

describe("a batch with writes and steps", () => {
  it("commits each record's writes with its own result", async () => {
    const { tables, deliver } = setUp(async ({ messageId }) => {
      currentClaim().write(count(messageId));
      await Promise.resolve();
      if (messageId === "m-2") throw new Error("declined");
      return messageId;
    });
    const all = ["m-1", "m-2", "m-3"].map((id) => message(id));
    expect(await deliver(...all)).toStrictEqual(["m-2"]);
    expect(await deliver(...all)).toStrictEqual(["m-2"]);
    expect(tables.items("payments")).toStrictEqual([
      { id: "m-1", n: 1 },
      { id: "m-3", n: 1 },
    ]);
  });

  it("hands a record back whose write was refused, or whose commit nobody knows", async () => {
    const { tables, store, deliver } = setUp(({ messageId }) => {
      const Item = { id: messageId };
      currentClaim().write({
        Put: { TableName: "payments", Item, ConditionExpression: "attribute_not_exists(id)" },
      });
      return "done";
    });
    tables.put("payments", { id: "m-1", taken: true });
    expect(await deliver(message("m-1"), message("m-2"))).toStrictEqual(["m-1"]);
    store.failNext("commit", { reason: "access_denied" });
    expect(await deliver(message("m-3"))).toStrictEqual(["m-3"]);
    expect(await deliver(message("m-3"))).toStrictEqual([]);
    expect(tables.get("payments", { id: "m-3" })).toStrictEqual({ id: "m-3" });
  });

  it("hands a record back whose result could not be stored: nothing was committed", async () => {
    const { tables, deliver } = setUp(({ messageId }) => {
      currentClaim().write(count(messageId));
      return new Map();
    });
    expect(await deliver(message("m-1"))).toStrictEqual(["m-1"]);
    expect(tables.items("payments")).toStrictEqual([]);
  });

  it("keeps the steps of a redelivered record", async () => {
    const charges: string[] = [];
    let fails = true;
    const { deliver } = setUp(async ({ messageId }) => {
      await currentClaim().step("charge", ({ idempotencyKey }) => charges.push(`${messageId} ${idempotencyKey}`));
      if (fails) throw new Error("declined");
      return "done";
    });
    expect(await deliver(message("m-1"), message("m-2"))).toStrictEqual(["m-1", "m-2"]);
    fails = false;
    expect(await deliver(message("m-1"), message("m-2"))).toStrictEqual([]);
    expect(charges).toHaveLength(2);
    expect(new Set(charges).size).toBe(2);
  });

  it("claims at the commit", async () => {
    const { tables, deliver } = setUp(
      ({ messageId }) => {
        currentClaim().write(count(messageId));
        return "done";
      },
      { claimAt: "commit" },
    );
    expect(await deliver(message("m-1"))).toStrictEqual([]);
    expect(await deliver(message("m-1", { received: 2 }))).toStrictEqual([]);
    expect(tables.items("payments")).toStrictEqual([{ id: "m-1", n: 1 }]);
  });

  it("writes nothing for a record whose outcome is unknown", async () => {
    const { tables, store, deliver } = setUp(({ messageId }) => {
      currentClaim().write(count(messageId));
      throw new IdempotencyOutcomeUnknownError();
    });
    expect(await deliver(message("m-1"))).toStrictEqual(["m-1"]);
    expect(tables.items("payments")).toStrictEqual([]);
    expect(store.records()).toMatchObject([{ status: "IN_PROGRESS" }]);
  });
});
