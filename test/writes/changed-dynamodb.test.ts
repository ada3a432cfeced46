import { DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { commit } from "lambda-once/dynamodb";
import { outbox, putIfChanged, table, transition, updateIfVersion } from "lambda-once/writes";
import { beforeEach, describe, expect, it } from "vitest";
import { localDynamoDB } from "../support/dynamodb.ts";
import { clock, handles, machine, newOrder, readItem, START } from "./kit.ts";

const local = await localDynamoDB();
const name = await local.createTable();
const client = local.client();
const { orders } = handles(name);

const content = (id: string, over: { amount?: number; note?: string | undefined } = {}) =>
  putIfChanged({
    table: orders,
    item: { id, orderNumber: "n-1", amount: 5, note: "a", paidAt: undefined, ...over },
    initial: { status: "created" },
  });
const outcomeOf = async (write: ReturnType<typeof content>) => (await commit(client, [write])).outcomes[0].outcome;

beforeEach(() => {
  clock.time = START;
});

describe("putIfChanged()", () => {
  it("creates, changes nothing that is equal, and changes what differs", async () => {
    const { id } = newOrder();
    expect(await outcomeOf(content(id))).toBe("created");
    const created = await readItem(client, name, id);
    expect(created).toMatchObject({ status: "created", version: 1, createdAt: START, updatedAt: START, note: "a" });

    clock.time += 1_000;
    const { committed, outcomes } = await commit(client, [content(id)]);
    expect({ committed, outcomes }).toStrictEqual({
      committed: false,
      outcomes: [{ outcome: "unchanged", current: created }],
    });
    expect(await readItem(client, name, id)).toStrictEqual(created);

    expect(await outcomeOf(content(id, { amount: 6 }))).toBe("changed");
    const changed = { amount: 6, version: 2, createdAt: START, updatedAt: START + 1_000 };
    expect(await readItem(client, name, id)).toMatchObject(changed);
  });

  it("removes what the new content lacks", async () => {
    const { id } = newOrder();
    await commit(client, [content(id)]);
    expect(await outcomeOf(content(id, { note: undefined }))).toBe("changed");
    expect(await readItem(client, name, id)).not.toHaveProperty("note");
    expect(await outcomeOf(content(id, { note: undefined }))).toBe("unchanged");
  });

  it("leaves the state and all that it does not name", async () => {
    const { id } = newOrder();
    await commit(client, [content(id)]);
    await commit(client, [transition({ table: orders, key: { id }, from: "created", to: "paid", machine })]);
    expect(await outcomeOf(content(id))).toBe("unchanged");
    expect(await outcomeOf(content(id, { amount: 7 }))).toBe("changed");
    expect(await readItem(client, name, id)).toMatchObject({ status: "paid", version: 3 });
  });

  it("sees what another builder has changed meanwhile", async () => {
    const { id } = newOrder();
    await commit(client, [content(id)]);
    await commit(client, [updateIfVersion({ table: orders, key: { id }, version: 1, set: { amount: 6 } })]);
    expect(await outcomeOf(content(id))).toBe("changed");
    expect(await readItem(client, name, id)).toMatchObject({ amount: 5, version: 3 });
  });

  it("takes an item over that was written without it", async () => {
    const { id } = newOrder();
    const document = DynamoDBDocumentClient.from(client);
    await document.send(
      new UpdateCommand({
        TableName: name,
        Key: { id },
        UpdateExpression: "SET amount = :a, createdAt = :c",
        ExpressionAttributeValues: { ":a": 5, ":c": 42 },
      }),
    );
    expect(await outcomeOf(content(id))).toBe("changed");
    expect(await readItem(client, name, id)).toMatchObject({ createdAt: 42, updatedAt: START, status: "created" });
  });

  it("does not count what is to be ignored, and writes it with a change", async () => {
    const pages = table<{ id: string; text: string; seenBy: string }>()({ name, key: ["id"] });
    const { id } = newOrder();
    const page = (text: string, seenBy: string) =>
      commit(client, [putIfChanged({ table: pages, item: { id, text, seenBy }, ignore: ["seenBy"] })]);
    expect((await page("a", "x")).outcomes[0].outcome).toBe("created");
    expect((await page("a", "y")).outcomes[0].outcome).toBe("unchanged");
    expect((await page("b", "y")).outcomes[0].outcome).toBe("changed");
    expect(await readItem(client, name, id)).toMatchObject({ text: "b", seenBy: "y" });
  });

  it("writes its attributes under the names that the handle gives them", async () => {
    const attributes = { writeId: "_w", contentHash: "_h", createdAt: "made", updatedAt: "changed.at" };
    const pages = table<{ id: string; made?: number; text: string }>()({ name, key: ["id"], attributes, clock });
    const { id } = newOrder();
    await commit(client, [putIfChanged({ table: pages, item: { id, text: "a", made: 7 } })]);
    expect(await readItem(client, name, id)).toStrictEqual({
      id,
      text: "a",
      made: START,
      "changed.at": START,
      _w: expect.any(String),
      _h: expect.any(String),
    });
  });

  it("of 50 with the same content writes once", async () => {
    const { id } = newOrder();
    const all = await Promise.all(Array.from({ length: 50 }, () => outcomeOf(content(id))));
    expect(all.sort()).toStrictEqual(["created", ...Array(49).fill("unchanged")]);
    expect(await readItem(client, name, id)).toMatchObject({ version: 1 });
  });

  it("in a transaction is 'written', or 'unchanged' and stops the event", async () => {
    const { id } = newOrder();
    const told = (event: string) => outbox({ table: orders, event: { id: `${id}#${event}`, type: "OrderChanged" } });
    const first = await commit(client, [content(id), told("1")]);
    expect(first).toStrictEqual({ committed: true, outcomes: [{ outcome: "written" }, { outcome: "queued" }] });
    const second = await commit(client, [content(id), told("2")]);
    expect(second.committed).toBe(false);
    expect(second.outcomes.map(({ outcome }) => outcome)).toStrictEqual(["unchanged", "cancelled"]);
    expect(await readItem(client, name, `lambda-once:event#${id}#2`)).toBeUndefined();
  });

  it("with If-Match: one request for both, each with its own answer", async () => {
    const { id } = newOrder();
    await commit(client, [content(id)]);
    const both = async (amount: number, version: number) => {
      const writes = [content(id, { amount }), updateIfVersion({ table: orders, key: { id }, version })] as const;
      return (await commit(client, writes)).outcomes.map(({ outcome }) => outcome);
    };
    expect(await both(5, 1)).toStrictEqual(["unchanged", "cancelled"]);
    expect(await both(6, 2)).toStrictEqual(["cancelled", "stale"]);
    expect(await both(5, 2)).toStrictEqual(["unchanged", "stale"]);
    expect(await both(6, 1)).toStrictEqual(["changed", "written"]);
    expect(await readItem(client, name, id)).toMatchObject({ amount: 6, version: 2 });
  });

  // Seen by a reviewer: it answered `unchanged`, and the attribute stayed.
  it.each(["initial", "ignore"] as const)("removes what stood there as %s", async (how) => {
    interface Page {
      readonly id: string;
      readonly text: string;
      readonly note?: string;
    }
    const pages = table<Page>()({ name, key: ["id"] });
    const { id } = newOrder();
    const first =
      how === "initial"
        ? putIfChanged({ table: pages, item: { id, text: "a" }, initial: { note: "x" } })
        : putIfChanged({ table: pages, item: { id, text: "a", note: "x" }, ignore: ["note"] });
    await commit(client, [first]);
    const removal = () => commit(client, [putIfChanged({ table: pages, item: { id, text: "a", note: undefined } })]);
    expect((await removal()).outcomes).toMatchObject([{ outcome: "changed" }]);
    expect(await readItem(client, name, id)).not.toHaveProperty("note");
    expect((await removal()).outcomes).toMatchObject([{ outcome: "unchanged" }]);
  });
});
