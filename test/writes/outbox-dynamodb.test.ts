import { commit } from "lambda-once/dynamodb";
import { type OutboxEvent, outbox, publishOutbox, table, transition } from "lambda-once/writes";
import { describe, expect, it } from "vitest";
import { localDynamoDB } from "../support/dynamodb.ts";
import { clock, createTable, machine, newOrder, type Order, readAll, readItem, START } from "./kit.ts";
import { streamingTable } from "./stream.ts";

const local = await localDynamoDB();
const client = local.client();

describe("an event", () => {
  it("goes out with its commit, once for each, and not without it", async () => {
    const { name, told } = await streamingTable(local);
    const orders = table<Order>()({ name, key: ["id"], state: "status", clock });
    const order = newOrder();
    await commit(client, [{ Put: { TableName: name, Item: { ...order } } }]);
    const pay = () =>
      commit(client, [
        transition({ table: orders, key: { id: order.id }, from: "created", to: "paid", machine }),
        outbox({ table: orders, event: { id: `${order.id}#paid`, type: "OrderPaid", data: { amount: 5 } } }),
      ]);
    const all = await Promise.all(Array.from({ length: 10 }, pay));
    expect(all.filter(({ committed }) => committed)).toHaveLength(1);

    const sent: OutboxEvent[] = [];
    const publish = publishOutbox({ send: async (events) => void sent.push(...events) });
    expect(await publish(await told())).toStrictEqual({ batchItemFailures: [] });
    expect(sent).toStrictEqual([{ id: `${order.id}#paid`, type: "OrderPaid", time: START, data: { amount: 5 } }]);
  });

  it("that could not be sent is told again by the stream from there", async () => {
    const { name, told } = await streamingTable(local);
    const events = table<{ id: string }>()({ name, key: ["id"] });
    for (const id of ["1", "2", "3"]) await commit(client, [outbox({ table: events, event: { id, type: "T" } })]);
    const stream = await told();
    const taken: string[] = [];
    const publish = publishOutbox({
      send: async (all) => {
        taken.push(...all.map(({ id }) => id).filter((id) => id !== "2"));
        return ["2"];
      },
    });
    const { batchItemFailures } = await publish(stream);
    expect(batchItemFailures).toStrictEqual([{ itemIdentifier: stream.Records[1]?.dynamodb?.SequenceNumber }]);
    expect(taken).toStrictEqual(["1", "3"]);
  });

  it("of an id that has been queued is a duplicate, and stops its commit", async () => {
    const name = await local.createTable();
    const events = table<{ id: string }>()({ name, key: ["id"], clock });
    const queue = () => outbox({ table: events, event: { id: "e", type: "T" }, expiresAfter: { hours: 1 } });
    expect((await commit(client, [queue()])).outcomes).toStrictEqual([{ outcome: "queued" }]);
    const again = await commit(client, [queue(), outbox({ table: events, event: { id: "f", type: "T" } })]);
    expect(again).toStrictEqual({
      committed: false,
      outcomes: [{ outcome: "duplicate" }, { outcome: "cancelled" }],
    });
    expect(await readItem(client, name, "lambda-once:event#e")).toStrictEqual({
      id: "lambda-once:event#e",
      outbox: JSON.stringify({ id: "e", time: START, type: "T" }),
      expiresAt: START / 1000 + 3_600,
      writeId: expect.any(String),
    });
  });

  it("stands beside entities with a sort key, and meets none of them", async () => {
    const name = await createTable(local, [
      ["pk", "S"],
      ["sk", "S"],
    ]);
    const rows = table<{ pk: string; sk: string }>()({ name, key: ["pk", "sk"] });
    await commit(client, [outbox({ table: rows, event: { id: "e", type: "T" } })]);
    expect(await readAll(client, name)).toMatchObject([{ pk: "lambda-once:event#e", sk: "lambda-once:event" }]);
  });
});
