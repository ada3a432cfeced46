import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { commit } from "lambda-once/dynamodb";
import { outbox, putIfVersion, putUnique, table, transition, updateIfVersion } from "lambda-once/writes";
import { describe, expect, it } from "vitest";
import { localDynamoDB } from "../support/dynamodb.ts";
import { faultyClient } from "../support/dynamodb-faults.ts";
import { handles, machine, newOrder, type Order, put, readAll, readItem } from "./kit.ts";

const local = await localDynamoDB();
const name = await local.createTable();
const client = local.client();
const document = DynamoDBDocumentClient.from(client);
const { orders } = handles(name);
const stored = async (over: Partial<Order> = {}) => {
  const order = newOrder({ version: 3, ...over });
  await put(document, name, order);
  return order;
};
const pay = (id: string) => transition({ table: orders, key: { id }, from: "created", to: "paid", machine });

describe("a transition with a version", () => {
  const both = async (order: Order, version: number) => {
    const { client: counted, sent } = faultyClient(local, []);
    const key = { id: order.id };
    const writes = [pay(order.id), updateIfVersion({ table: orders, key, version, set: { amount: 9 } })] as const;
    const { outcomes } = await commit(counted, writes);
    expect(sent).toStrictEqual(["UpdateItem"]);
    return outcomes;
  };

  it("is one request that grows the version once", async () => {
    const order = await stored();
    expect(await both(order, 3)).toStrictEqual([
      { outcome: "moved", state: "paid" },
      { outcome: "written", version: 4 },
    ]);
    expect(await readItem(client, name, order.id)).toMatchObject({ status: "paid", amount: 9, version: 4 });
  });

  it("says which of the two was refused", async () => {
    const order = await stored();
    expect(await both(order, 2)).toStrictEqual([{ outcome: "cancelled" }, { outcome: "stale", current: order }]);
    const paid = await stored({ status: "paid" });
    expect((await both(paid, 3)).map(({ outcome }) => outcome)).toStrictEqual(["already", "cancelled"]);
    expect((await both(paid, 4)).map(({ outcome }) => outcome)).toStrictEqual(["already", "stale"]);
    expect(await readItem(client, name, order.id)).toStrictEqual(order);
  });

  it("of a whole item that is put is one put", async () => {
    const order = await stored();
    const item = { ...order, status: "paid", amount: 9 } as const;
    const { outcomes } = await commit(client, [pay(order.id), putIfVersion({ table: orders, item })]);
    expect(outcomes.map(({ outcome }) => outcome)).toStrictEqual(["moved", "written"]);
    expect(await readItem(client, name, order.id)).toMatchObject({ status: "paid", amount: 9, version: 4 });
  });
});

describe("a unique put with a state", () => {
  const renamed = (order: Order, status: Order["status"]) =>
    putUnique({
      table: orders,
      item: { ...order, orderNumber: `new-${order.id}`, status },
      previous: order,
      unique: ["orderNumber"],
    });

  it("is one transaction of the entity and its guards", async () => {
    const order = await stored();
    const { committed, outcomes } = await commit(client, [renamed(order, "paid"), pay(order.id)]);
    expect({ committed, outcomes }).toStrictEqual({
      committed: true,
      outcomes: [{ outcome: "changed" }, { outcome: "moved", state: "paid" }],
    });
    expect(await readItem(client, name, order.id)).toMatchObject({ status: "paid", version: 4 });
  });

  it("is refused as a whole where the state forbids it", async () => {
    const order = await stored({ status: "cancelled" });
    const { committed, outcomes } = await commit(client, [renamed(order, "paid"), pay(order.id)]);
    expect(committed).toBe(false);
    expect(outcomes.map(({ outcome }) => outcome)).toStrictEqual(["cancelled", "illegal"]);
    expect(await readItem(client, name, order.id)).toStrictEqual(order);
    expect((await readAll(client, name)).some(({ uniqueOwner }) => uniqueOwner?.id === order.id)).toBe(false);
  });

  it("cannot be where the two want different states", async () => {
    const order = await stored();
    await expect(commit(client, [renamed(order, "created"), pay(order.id)])).rejects.toMatchObject({
      code: "config",
      message: `putUnique() and transition() want different things of the attribute 'status' of one item of table '${name}'; allowed is one write, or two that agree`,
    });
    expect(await readItem(client, name, order.id)).toStrictEqual(order);
  });
});

describe("entities of one commit", () => {
  const stock = table<{ id: string; left: number; version: number }>()({ name, key: ["id"], version: "version" });

  it("are written together with an event", async () => {
    const [order, other] = [await stored(), await stored()];
    const { committed, outcomes } = await commit(client, [
      pay(order.id),
      updateIfVersion({ table: orders, key: { id: other.id }, version: 3, set: { amount: 1 } }),
      putIfVersion({ table: stock, item: { id: `stock-${order.id}`, left: 1 } }),
      outbox({ table: orders, event: { id: order.id, type: "OrderPaid" } }),
    ]);
    expect(committed).toBe(true);
    expect(outcomes).toStrictEqual([
      { outcome: "moved", state: "paid" },
      { outcome: "written", version: 4 },
      { outcome: "written", version: 1 },
      { outcome: "queued" },
    ]);
  });

  it("are not written at all where one is refused", async () => {
    const [order, other] = [await stored(), await stored()];
    const event = { id: order.id, type: "OrderPaid" };
    const { committed, outcomes } = await commit(client, [
      pay(order.id),
      updateIfVersion({ table: orders, key: { id: other.id }, version: 2, set: { amount: 1 } }),
      putIfVersion({ table: stock, item: { id: `stock-${order.id}`, left: 1 } }),
      outbox({ table: orders, event }),
    ]);
    expect(committed).toBe(false);
    expect(outcomes).toStrictEqual([
      { outcome: "cancelled" },
      { outcome: "stale", current: other },
      { outcome: "cancelled" },
      { outcome: "cancelled" },
    ]);
    expect(await readItem(client, name, order.id)).toStrictEqual(order);
    expect(await readItem(client, name, `stock-${order.id}`)).toBeUndefined();
    expect(await readItem(client, name, `lambda-once:event#${order.id}`)).toBeUndefined();
  });

  it("may be plain actions too", async () => {
    const order = await stored();
    const check = {
      ConditionCheck: {
        TableName: name,
        Key: { id: order.id },
        ConditionExpression: "amount = :five",
        ExpressionAttributeValues: { ":five": 5 },
      },
    };
    const other = await stored();
    const { committed, outcomes } = await commit(client, [check, pay(other.id)]);
    expect({ committed, outcomes }).toStrictEqual({
      committed: true,
      outcomes: [{ outcome: "written" }, { outcome: "moved", state: "paid" }],
    });
  });

  it("that meet a plain action on one item are refused, and written nowhere", async () => {
    const order = await stored();
    const plain = { Put: { TableName: name, Item: { ...order } } };
    await expect(commit(client, [pay(order.id), plain])).rejects.toMatchObject({ code: "config" });
    expect(await readItem(client, name, order.id)).toStrictEqual(order);
  });
});
