import { describe, expect, it } from "vitest";
import { idempotentBatch, type SqsRecord } from "../../../src/batch.ts";
import { dynamoDBStore } from "../../../src/dynamodb.ts";
import type { IdempotencyEvent } from "../../../src/index.ts";
import { lambdaContext } from "../../../src/testing.ts";
import { localDynamoDB } from "../../support/dynamodb.ts";
import { eventOf, failed, latch, message } from "./kit.ts";

const local = await localDynamoDB();

/** A consumer of its own, as another Lambda of the same function would be. */
async function consumers(count: number, fn: (record: SqsRecord) => unknown = () => "done") {
  const tableName = await local.createTable();
  const ran: string[] = [];
  const events: IdempotencyEvent[] = [];
  const hidden: [string, number][] = [];
  const made = Array.from({ length: count }, () => {
    const handler = idempotentBatch(
      async (record: SqsRecord) => {
        ran.push(record.messageId);
        return fn(record);
      },
      {
        store: dynamoDBStore({ tableName, client: local.client() }),
        operation: "pay",
        key: "json(body).id",
        fingerprint: "json(body)",
        observe: (event) => void events.push(event),
        changeVisibility: async ({ messageId }, seconds) => void hidden.push([messageId, seconds]),
      },
    );
    return async (...messages: SqsRecord[]) => failed(await handler(eventOf(...messages), lambdaContext()));
  });
  return { made, ran, events, hidden };
}

describe("a batch over DynamoDB", () => {
  it("runs each message once over redeliveries, and only the failed one again", async () => {
    let works = false;
    const { made, ran, events } = await consumers(1, ({ messageId }) => {
      if (messageId === "m-2" && !works) throw new Error("no");
    });
    const [deliver] = made as [(typeof made)[number]];
    const messages = ["m-1", "m-2", "m-3"].map((id) => message(id));
    expect(await deliver(...messages)).toStrictEqual(["m-2"]);
    works = true;
    const again = ["m-1", "m-2", "m-3"].map((id) => message(id, { received: 2 }));
    expect(await deliver(...again)).toStrictEqual([]);
    expect(ran.sort()).toStrictEqual(["m-1", "m-2", "m-2", "m-3"]);
    expect(events.filter(({ type }) => type === "replayed")).toHaveLength(2);
  });

  it("takes effect once where three consumers get the same messages at once", async () => {
    const { made, ran } = await consumers(3);
    const messages = Array.from({ length: 20 }, (_, n) => message(`m-${n}`));
    for (let round = 0; round < 20; round++) {
      const reported = await Promise.all(made.map((deliver) => deliver(...messages)));
      if (reported.flat().length === 0) break;
    }
    expect(ran.sort()).toStrictEqual(messages.map(({ messageId }) => messageId).sort());
    expect(await made[0]?.(...messages)).toStrictEqual([]);
  });

  it("reports and hides a message in progress elsewhere until its lock ends, and acknowledges it after that", async () => {
    const begun = latch();
    const gate = latch();
    const { made, ran, hidden } = await consumers(2, async () => {
      begun.open();
      await gate.opened;
    });
    const [one, other] = made as [(typeof made)[number], (typeof made)[number]];
    const first = one(message("m-1"));
    await begun.opened;
    expect(await other(message("m-1", { received: 2 }))).toStrictEqual(["m-1"]);
    expect(hidden).toStrictEqual([["m-1", expect.any(Number)]]);
    // 30 s that the other Lambda had left and 5 s of margin, less what has gone by.
    expect(hidden[0]?.[1]).toBeGreaterThan(20);
    expect(hidden[0]?.[1]).toBeLessThanOrEqual(35);
    gate.open();
    expect(await first).toStrictEqual([]);
    expect(await other(message("m-1", { received: 3 }))).toStrictEqual([]);
    expect(ran).toStrictEqual(["m-1"]);
  });

  it("joins the same key in a batch, refuses another content, and keeps a FIFO group in order", async () => {
    const { made, ran } = await consumers(1, ({ messageId }) => {
      if (messageId === "f-2") throw new Error("no");
    });
    const [deliver] = made as [(typeof made)[number]];
    const of = (id: string, amount: number) => message(id, { body: { id: "p-1", amount } });
    expect(await deliver(of("m-1", 5), of("m-2", 5), of("m-3", 6))).toStrictEqual(["m-3"]);
    expect(ran).toStrictEqual(["m-1"]);
    const fifo = ["f-1", "f-2", "f-3"].map((id) => message(id, { group: "a" }));
    expect(await deliver(...fifo, message("f-4", { group: "b" }))).toStrictEqual(["f-2", "f-3"]);
    expect(ran.slice(1).sort()).toStrictEqual(["f-1", "f-2", "f-4"]);
  });
});
