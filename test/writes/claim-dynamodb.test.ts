import { randomUUID } from "node:crypto";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { currentClaim, idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { outbox, putUnique, transition, updateIfVersion } from "lambda-once/writes";
import { describe, expect, it } from "vitest";
import { localDynamoDB } from "../support/dynamodb.ts";
import { faultyClient, lostResponse, none } from "../support/dynamodb-faults.ts";
import { handles, machine, newOrder, type Order, put, readAll, readItem } from "./kit.ts";

const local = await localDynamoDB();
const [records, name] = [await local.createTable(), await local.createTable()];
const client = local.client();
const document = DynamoDBDocumentClient.from(client);
const { orders } = handles(name);
const storeOver = (over = client) => dynamoDBStore({ tableName: records, client: over });

const placing = (store = storeOver()) =>
  idempotent(
    async ({ order }: { key: string; order: Order }) => {
      const write = putUnique({ table: orders, item: order, unique: ["orderNumber"] });
      const { outcomes } = await currentClaim().commit([write], { result: { placed: order.id } });
      return outcomes[0];
    },
    { store, operation: `place-${randomUUID()}`, key: "key" },
  );

describe("writes under a claim", () => {
  it("commit with the result, and a replay writes nothing", async () => {
    const order = newOrder({ version: 3 });
    await put(document, name, order);
    const pay = idempotent(
      async (id: string) => {
        currentClaim().write(
          transition({ table: orders, key: { id }, from: "created", to: "paid", machine }),
          updateIfVersion({ table: orders, key: { id }, version: 3 }),
          outbox({ table: orders, event: { id: `${id}#paid`, type: "OrderPaid" } }),
        );
        return { paid: id };
      },
      { store: storeOver(), operation: `pay-${randomUUID()}` },
    );
    expect(await pay(order.id)).toStrictEqual({ paid: order.id });
    expect(await pay(order.id)).toStrictEqual({ paid: order.id });
    expect(await readItem(client, name, order.id)).toMatchObject({ status: "paid", version: 4 });
    expect(await readItem(client, name, `lambda-once:event#${order.id}#paid`)).toBeDefined();
  });

  it("that are refused are an outcome, and leave the claim to its function", async () => {
    const order = newOrder();
    const place = placing();
    await place({ key: "a", order });
    const refused = await place({ key: "b", order: { ...order, id: randomUUID() } });
    expect(refused).toStrictEqual({ outcome: "duplicate", field: "orderNumber", existing: { id: order.id } });
    expect((await readAll(client, name)).filter(({ orderNumber }) => orderNumber === order.orderNumber)).toHaveLength(
      1,
    );
  });

  it("are inserted once, whatever answers are lost", async () => {
    const order = newOrder();
    const { client: lossy, sent } = faultyClient(local, [none, lostResponse, lostResponse]);
    const place = placing(storeOver(lossy));
    await place({ key: "a", order });
    expect(sent.slice(0, 4)).toStrictEqual(["PutItem", ...Array(3).fill("TransactWriteItems")]);
    expect(await place({ key: "a", order })).toStrictEqual({ placed: order.id });
    expect(await readItem(client, name, order.id)).toMatchObject({ version: 1 });
  });

  it("of 20 calls with one key are carried out once", async () => {
    const order = newOrder();
    const place = placing();
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => place({ key: "a", order })));
    const answered = all.filter(({ status }) => status === "fulfilled");
    expect(answered.length).toBeGreaterThan(0);
    expect(await readItem(client, name, order.id)).toMatchObject({ version: 1 });
    expect((await readAll(client, name)).filter(({ uniqueOwner }) => uniqueOwner?.id === order.id)).toHaveLength(1);
  });
});
