import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { commit } from "lambda-once/dynamodb";
import { putIfVersion, updateIfVersion, versionFrom } from "lambda-once/writes";
import { describe, expect, it } from "vitest";
import { localDynamoDB } from "../support/dynamodb.ts";
import { handles, newOrder, put, readItem } from "./kit.ts";

const local = await localDynamoDB();
const name = await local.createTable();
const client = local.client();
const { orders } = handles(name);
const stored = async (version: number) => {
  const order = newOrder({ version, note: "old" });
  await put(DynamoDBDocumentClient.from(client), name, order);
  return order;
};

describe("putIfVersion()", () => {
  it("creates with version 1, whether the version is said to be 0 or there is none", async () => {
    const { version: _, ...item } = newOrder();
    const first = await commit(client, [putIfVersion({ table: orders, item })]);
    expect(first).toStrictEqual({ committed: true, outcomes: [{ outcome: "written", version: 1 }] });
    const other = newOrder();
    const second = await commit(client, [putIfVersion({ table: orders, item: other, version: 0 })]);
    expect(second.outcomes).toStrictEqual([{ outcome: "written", version: 1 }]);
    expect(await readItem(client, name, other.id)).toStrictEqual({ ...other, writeId: expect.any(String) });
  });

  it("replaces the version that was read by the next one, with all that it lacks", async () => {
    const { note: _, ...order } = await stored(3);
    const { outcomes } = await commit(client, [putIfVersion({ table: orders, item: { ...order, amount: 9 } })]);
    expect(outcomes).toStrictEqual([{ outcome: "written", version: 4 }]);
    const expected = { ...order, amount: 9, version: 4, writeId: expect.any(String) };
    expect(await readItem(client, name, order.id)).toStrictEqual(expected);
  });

  it("is stale on another version, with the current item, and writes nothing", async () => {
    const order = await stored(3);
    for (const version of [0, 2, 4]) {
      const answer = await commit(client, [putIfVersion({ table: orders, item: { ...order, amount: 9 }, version })]);
      expect(answer).toStrictEqual({ committed: false, outcomes: [{ outcome: "stale", current: order }] });
    }
    expect(await readItem(client, name, order.id)).toStrictEqual(order);
  });

  it("is stale without a current item where there is none", async () => {
    const { outcomes } = await commit(client, [putIfVersion({ table: orders, item: newOrder(), version: 1 })]);
    expect(outcomes).toStrictEqual([{ outcome: "stale", current: undefined }]);
  });

  it("replaces an item that it has read with the ids of the last write in it", async () => {
    const order = newOrder();
    await commit(client, [putIfVersion({ table: orders, item: order, version: 0 })]);
    const read = (await readItem(client, name, order.id)) as typeof order;
    expect((await commit(client, [putIfVersion({ table: orders, item: read })])).committed).toBe(true);
    const after = await readItem(client, name, order.id);
    expect(after).toMatchObject({ version: 2 });
    expect(after?.["writeId"]).not.toBe((read as { writeId?: string }).writeId);
  });

  it("of 50 with the same version is written once", async () => {
    const order = await stored(1);
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, amount) =>
        commit(client, [putIfVersion({ table: orders, item: { ...order, amount } })]),
      ),
    );
    expect(all.filter(({ committed }) => committed)).toHaveLength(1);
    const current = await readItem(client, name, order.id);
    const stale = all.flatMap(({ outcomes: [one] }) => (one.outcome === "stale" ? [one.current] : []));
    expect(stale).toStrictEqual(Array(49).fill(current));
    expect(current).toMatchObject({ version: 2 });
  });
});

describe("updateIfVersion()", () => {
  it("sets and removes attributes, and leaves the others", async () => {
    const { id } = await stored(3);
    const write = updateIfVersion({ table: orders, key: { id }, version: 3, set: { amount: 9 }, remove: ["note"] });
    expect((await commit(client, [write])).outcomes).toStrictEqual([{ outcome: "written", version: 4 }]);
    const item = await readItem(client, name, id);
    expect(item).toMatchObject({ amount: 9, version: 4, status: "created" });
    expect(item).not.toHaveProperty("note");
  });

  it("is stale on another version, and where there is nothing", async () => {
    const order = await stored(3);
    const update = (id: string, version: number) =>
      commit(client, [updateIfVersion({ table: orders, key: { id }, version, set: { amount: 9 } })]);
    expect((await update(order.id, 2)).outcomes).toStrictEqual([{ outcome: "stale", current: order }]);
    expect((await update("nobody", 1)).outcomes).toStrictEqual([{ outcome: "stale", current: undefined }]);
    expect(await readItem(client, name, "nobody")).toBeUndefined();
  });

  it.each([
    ['"3"', "written", 4],
    ['"2", W/"3"', "written", 4],
    ["*", "written", 4],
    ['"2", "4"', "stale", 3],
    ['"of-another-server"', "stale", 3],
  ] as const)("does what If-Match: %s asks for: %s", async (header, outcome, version) => {
    const { id } = await stored(3);
    const wanted = versionFrom(header);
    if (wanted.match === "missing" || wanted.match === "invalid") throw new Error(wanted.match);
    const write = updateIfVersion({ table: orders, key: { id }, version: wanted.version, set: { amount: 9 } });
    const [answer] = (await commit(client, [write])).outcomes;
    expect(answer).toMatchObject(outcome === "written" ? { outcome, version } : { outcome });
    expect(await readItem(client, name, id)).toMatchObject({ version });
  });

  it("of any version still needs something that stands there", async () => {
    const write = updateIfVersion({ table: orders, key: { id: "nobody" }, version: "any" });
    expect((await commit(client, [write])).outcomes).toStrictEqual([{ outcome: "stale", current: undefined }]);
  });

  it("does not know the new version in a transaction that allows several", async () => {
    const [one, other] = [await stored(1), await stored(1)];
    const write = (id: string) => updateIfVersion({ table: orders, key: { id }, version: [1, 2], set: { amount: 9 } });
    const { committed, outcomes } = await commit(client, [write(one.id), write(other.id)]);
    expect(committed).toBe(true);
    expect(outcomes).toStrictEqual(Array(2).fill({ outcome: "written", version: undefined }));
  });
});
