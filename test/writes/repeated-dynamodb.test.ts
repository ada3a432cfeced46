import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { commit } from "lambda-once/dynamodb";
import { putIfChanged, table, transition, updateIfVersion } from "lambda-once/writes";
import { expect, it } from "vitest";
import { commitBy } from "../../src/store/commit.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { type Fault, faultyClient, lostResponse } from "../support/dynamodb-faults.ts";
import { put, readItem } from "./kit.ts";

const local = await localDynamoDB();
const client = local.client();
const name = await local.createTable();
const document = DynamoDBDocumentClient.from(client);

interface Door {
  readonly id: string;
  readonly state: "open" | "closed";
  readonly version: number;
  readonly note?: string;
}
const doors = table<Door>()({ name, key: ["id"], state: "state", version: "version" });
const machine = { open: ["closed"], closed: ["open"] } as const;
const close = (id: string) => transition({ table: doors, key: { id }, from: "open", to: "closed", machine });

/** The answer is lost, and somebody else writes before the client asks again. */
const lostAndFollowedBy =
  (other: () => Promise<unknown>): Fault =>
  async (send) => {
    await send();
    await other();
    throw Object.assign(new Error("socket hang up (injected)"), { name: "TimeoutError", code: "ECONNRESET" });
  };

// Seen by a reviewer: the door was closed twice, and stood closed at version 4.
it("a transition of a machine that leads back is not carried out a second time", async () => {
  const id = "door-1";
  await put(document, name, { id, state: "open", version: 1 });
  const reopen = () => commit(client, [transition({ table: doors, key: { id }, from: "closed", to: "open", machine })]);
  const { client: lossy } = faultyClient(local, [lostAndFollowedBy(reopen)]);
  expect((await commit(lossy, [close(id)])).outcomes).toStrictEqual([{ outcome: "moved", state: "closed" }]);
  expect(await readItem(client, name, id)).toMatchObject({ state: "open", version: 3 });
});

it("nor beside the version that was read", async () => {
  const id = "door-2";
  await put(document, name, { id, state: "open", version: 1 });
  const reopen = () => commit(client, [transition({ table: doors, key: { id }, from: "closed", to: "open", machine })]);
  const { client: lossy } = faultyClient(local, [lostAndFollowedBy(reopen)]);
  const both = [close(id), updateIfVersion({ table: doors, key: { id }, version: 1 })] as const;
  expect((await commit(lossy, both)).outcomes).toMatchObject([{ outcome: "moved" }, { outcome: "written" }]);
  expect(await readItem(client, name, id)).toMatchObject({ state: "open", version: 3 });
});

// Seen by a reviewer: merged into one update they were carried out twice, and overwrote another's.
it.each([["any"], [[1, 2, 3]]] as const)("nor beside the versions %s", async (version) => {
  const id = `door-of-${version}`;
  await put(document, name, { id, state: "open", version: 1 });
  const reopen = () => commit(client, [transition({ table: doors, key: { id }, from: "closed", to: "open", machine })]);
  const { client: lossy } = faultyClient(local, [lostAndFollowedBy(reopen)]);
  await commit(lossy, [close(id), updateIfVersion({ table: doors, key: { id }, version })]);
  expect(await readItem(client, name, id)).toMatchObject({ state: "open", version: 3 });
});

it("nor beside content that differs", async () => {
  const id = "door-5";
  await put(document, name, { id, state: "open", version: 1 });
  const content = (note: string) => putIfChanged({ table: doors, item: { id, note } });
  const theirs = () =>
    commit(client, [transition({ table: doors, key: { id }, from: "closed", to: "open", machine }), content("hers")]);
  const { client: lossy } = faultyClient(local, [lostAndFollowedBy(theirs)]);
  await commit(lossy, [close(id), content("mine")]);
  expect(await readItem(client, name, id)).toMatchObject({ state: "open", note: "hers", version: 3 });
});

// Seen by a reviewer: each commit had a token of its own.
it("nor when the same write is committed again after an unknown outcome", async () => {
  const id = "door-6";
  await put(document, name, { id, state: "open", version: 1 });
  const { client: lossy } = faultyClient(local, Array(300).fill(lostResponse));
  let time = 0;
  const sleep = async (millis: number) => {
    time += millis;
  };
  const move = close(id);
  const patient = { monotonic: () => time, sleep, random: () => 1 };
  await expect(commitBy(patient, lossy, [move])).rejects.toMatchObject({ outcome: "unknown" });
  await commit(client, [transition({ table: doors, key: { id }, from: "closed", to: "open", machine })]);
  expect((await commit(client, [move])).outcomes).toStrictEqual([{ outcome: "moved", state: "closed" }]);
  expect(await readItem(client, name, id)).toMatchObject({ state: "open", version: 3 });
});

it("answers what it came to, also where its answer was lost", async () => {
  const id = "door-3";
  await put(document, name, { id, state: "open", version: 1 });
  const { client: lossy } = faultyClient(local, [lostResponse]);
  expect((await commit(lossy, [close(id)])).outcomes).toStrictEqual([{ outcome: "moved", state: "closed" }]);
  expect((await commit(client, [close(id)])).outcomes).toMatchObject([{ outcome: "already", current: { id } }]);
  const nobody = await commit(client, [close("door-4")]);
  expect(nobody.outcomes).toStrictEqual([{ outcome: "illegal", state: undefined, current: undefined }]);
});

// Seen by a reviewer: both commits had one token, and the second was refused for ten minutes.
it("and is committed beside another plain action than before", async () => {
  const id = "door-7";
  await put(document, name, { id, state: "open", version: 1 });
  const log = (at: number) => ({ Put: { TableName: name, Item: { id: "log-7", at } } });
  const { client: lossy } = faultyClient(local, Array(300).fill(lostResponse));
  let time = 0;
  const sleep = async (millis: number) => {
    time += millis;
  };
  const move = close(id);
  const patient = { monotonic: () => time, sleep, random: () => 1 };
  await expect(commitBy(patient, lossy, [move, log(1)])).rejects.toMatchObject({ outcome: "unknown" });
  expect(await commit(client, [move, log(2)])).toMatchObject({ committed: true });
});
