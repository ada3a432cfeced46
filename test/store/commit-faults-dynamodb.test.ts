import { randomUUID } from "node:crypto";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import type { CommitRequest, IdempotencyStore } from "../../src/core/store.ts";
import { epochMillis } from "../../src/core/time.ts";
import type { WriteAction } from "../../src/core/write.ts";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { systemClock } from "../../src/store/options.ts";
import { sdkTransport } from "../../src/store/sdk.ts";
import { tableStore } from "../../src/store/table.ts";
import type { Transport } from "../../src/store/transport.ts";
import { ask, done, freshId, START } from "../contract/requests.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { type Fault, faultyClient, lostResponse, networkError, refused } from "../support/dynamodb-faults.ts";

const local = await localDynamoDB();
const [tableName, orders] = [await local.createTable(), await local.createTable()];
const sound = dynamoDBStore({ client: local.client(), tableName });

const count = (id: string, TableName = orders): WriteAction => ({
  Update: {
    TableName,
    Key: { id },
    UpdateExpression: "ADD #n :one",
    ExpressionAttributeNames: { "#n": "n" },
    ExpressionAttributeValues: { ":one": 1 },
  },
});
const countOf = async (id: string): Promise<unknown> => {
  const { Item } = await local.client().send(new GetItemCommand({ TableName: orders, Key: { id: { S: id } } }));
  return Item?.["n"]?.N;
};
const request = (id: string, actions: readonly WriteAction[]): CommitRequest => ({
  record: { from: "claim", ...done(id) },
  actions,
  token: randomUUID(),
});
const commitOf = (store: IdempotencyStore, sent: CommitRequest) =>
  (store.commit as NonNullable<IdempotencyStore["commit"]>)(sent);

/** DynamoDB cancels the transaction, for these reasons. */
const cancelled =
  (...codes: string[]): Fault =>
  async () => {
    const reasons = codes.map((Code) => ({ Code, Message: Code === "None" ? undefined : "injected" }));
    const sent = refused("TransactionCanceledException")(() => expect.unreachable());
    const { response } = (await sent) as unknown as { response: { body: unknown; headers: Record<string, string> } };
    const type = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    const body = Buffer.from(JSON.stringify({ __type: type, message: "injected", CancellationReasons: reasons }));
    const { Readable } = await import("node:stream");
    Object.assign(response, { body: Readable.from([body]) });
    response.headers["content-length"] = String(body.length);
    return { response } as never;
  };

async function claimedUnder(faults: readonly Fault[]) {
  const { client, sent } = faultyClient(local, faults);
  const [id, order] = [freshId(), randomUUID()];
  await sound.claim(ask(id));
  return { store: dynamoDBStore({ client, tableName }), sent, id, order };
}

describe("a fault under a commit", () => {
  it("that loses the response is healed by the same token: carried out once", async () => {
    const { store, sent, id, order } = await claimedUnder([lostResponse]);
    expect(await commitOf(store, request(id, [count(order)]))).toStrictEqual({ outcome: "written" });
    expect(sent).toStrictEqual(["TransactWriteItems", "TransactWriteItems"]);
    expect(await countOf(order)).toBe("1");
  });

  it("that loses every response is a failure that may have arrived; sent again it is known", async () => {
    const { store, id, order } = await claimedUnder([lostResponse, networkError("ECONNRESET"), networkError("EPIPE")]);
    const sent = request(id, [count(order)]);
    await expect(commitOf(store, sent)).rejects.toMatchObject({ code: "store_failed", reason: "unavailable" });
    expect(await commitOf(store, sent)).toStrictEqual({ outcome: "written" });
    expect(await countOf(order)).toBe("1");
  });

  it.each([
    ["its record", ["TransactionConflict", "None"]],
    ["a write's item", ["None", "TransactionConflict"]],
  ])("by another transaction on %s is busy", async (_, codes) => {
    const { store, id, order } = await claimedUnder([cancelled(...codes)]);
    expect(await commitOf(store, request(id, [count(order)]))).toStrictEqual({ outcome: "busy" });
  });

  it.each(["ThrottlingError", "ProvisionedThroughputExceeded"])("by %s is throttled", async (code) => {
    const { store, id, order } = await claimedUnder([cancelled("None", code)]);
    await expect(commitOf(store, request(id, [count(order)]))).rejects.toMatchObject({
      code: "store_failed",
      reason: "throttled",
      retryable: true,
    });
  });

  it("by a transaction of the same token that is under way may have arrived, and is tried again", async () => {
    const { store, id, order } = await claimedUnder(Array(3).fill(refused("TransactionInProgressException")));
    await expect(commitOf(store, request(id, [count(order)]))).rejects.toMatchObject({
      code: "store_failed",
      reason: "unavailable",
      retryable: true,
    });
  });

  it("by a mismatch of the token is a failure, never success", async () => {
    const { store, id, order } = await claimedUnder([refused("IdempotentParameterMismatchException")]);
    await expect(commitOf(store, request(id, [count(order)]))).rejects.toMatchObject({ code: "store_failed" });
  });

  it("by a write that was throttled beside one whose condition failed blames the condition", async () => {
    const { store, id, order } = await claimedUnder([cancelled("None", "ThrottlingError", "ConditionalCheckFailed")]);
    expect(await commitOf(store, request(id, [count(order), count(`${order}/2`)]))).toMatchObject({
      outcome: "refused",
      facts: [{ status: "cancelled" }, { status: "refused", reason: "ConditionalCheckFailed" }],
    });
  });

  it("by a write's condition is a lost claim where the record says so", async () => {
    const { store, sent, id, order } = await claimedUnder([cancelled("None", "ConditionalCheckFailed")]);
    await sound.complete(done(id));
    expect(await commitOf(store, request(id, [count(order)]))).toMatchObject({
      outcome: "conflict",
      found: { status: "COMPLETED", owner: "first" },
    });
    expect(sent).toStrictEqual(["TransactWriteItems", "GetItem"]);
  });

  it("by a write's condition says that the client had sent it before, without an answer", async () => {
    const { store, sent, id, order } = await claimedUnder([networkError("ECONNRESET")]);
    const closed: WriteAction = {
      Update: { ...count(order).Update, ConditionExpression: "attribute_exists(id)" } as never,
    };
    expect(await commitOf(store, request(id, [closed]))).toMatchObject({ outcome: "refused", resent: true });
    expect(sent).toStrictEqual(["TransactWriteItems", "TransactWriteItems", "GetItem"]);
    const answer = await commitOf(store, request(id, [closed]));
    expect(answer).toMatchObject({ outcome: "refused" });
    expect(answer).not.toHaveProperty("resent");
  });

  it("by an item that a write cannot make names the write and the reason", async () => {
    const { store, id, order } = await claimedUnder([cancelled("None", "None", "ValidationError")]);
    expect(await commitOf(store, request(id, [count(`${order}/2`), count(order)]))).toMatchObject({
      outcome: "refused",
      facts: [{ status: "cancelled" }, { status: "refused", reason: "ValidationError" }],
    });
  });

  it("by the 400 KB limit of DynamoDB itself is too_large", async () => {
    const { store, id, order } = await claimedUnder([]);
    const other = freshId();
    await sound.claim(ask(other, { fingerprint: "f".repeat(4_000) }));
    const record = {
      from: "claim",
      ...done(other, { result: { encoding: "json", data: "x".repeat(408_800) } }),
    } as const;
    const sent = { record, actions: [count(order)], token: randomUUID() };
    expect(await commitOf(store, sent)).toMatchObject({ outcome: "too_large", bytes: 409_601 });
    expect(await countOf(order)).toBeUndefined();
    expect(id).not.toBe(other);
  });

  it("by a table that does not exist is not retryable", async () => {
    const { store, id, order } = await claimedUnder([]);
    await expect(commitOf(store, request(id, [count(order, "no-such-table")]))).rejects.toMatchObject({
      reason: "missing_table",
      retryable: false,
    });
  });
});

describe("the request of a commit", () => {
  function recording(region?: string) {
    const inputs: { readonly operation: string; readonly input: unknown }[] = [];
    const transport = sdkTransport(local.client());
    const recorder: Transport = {
      send(operation, input) {
        inputs.push({ operation, input: structuredClone(input) });
        return transport.send(operation, input);
      },
      ...(region !== undefined && { region: async () => region }),
    };
    return { store: tableStore({ transport: recorder, table: tableName, clock: systemClock }), inputs };
  }

  it("is one, the record first, under the request's token, and the same bytes each time", async () => {
    const { store, inputs } = recording();
    const [id, order] = [freshId(), randomUUID()];
    await sound.claim(ask(id));
    const Item = { id: order, tags: new Set(["b", "a"]), bytes: Uint8Array.of(1) };
    const sent = request(id, [{ Put: { TableName: orders, Item } }]);
    const both = [commitOf(store, sent), commitOf(store, sent)];
    Item.bytes.fill(9);
    Item.tags.add("c");
    await Promise.allSettled(both);
    await commitOf(store, sent);
    expect(inputs).toHaveLength(3);
    expect(inputs[1]).toStrictEqual(inputs[0]);
    expect(inputs[2]).toStrictEqual(inputs[0]);
    expect(inputs[0]).toMatchObject({
      operation: "TransactWriteItems",
      input: {
        ClientRequestToken: sent.token,
        TransactItems: [
          { Update: { TableName: tableName, ConditionExpression: "#owner = :me AND #status = :running" } },
          { Put: { TableName: orders, ReturnValuesOnConditionCheckFailure: "ALL_OLD" } },
        ],
      },
    });
  });

  it("is a plain Put where nothing was claimed and nothing is written", async () => {
    const { store, inputs } = recording();
    const record = { from: "nothing", now: epochMillis(START), fingerprint: undefined, ...done(freshId()) } as const;
    await commitOf(store, { record, actions: [], token: randomUUID() });
    expect(inputs).toMatchObject([{ operation: "PutItem" }]);
  });

  it.each([
    [
      "above 4 MB",
      () => Array.from({ length: 11 }, (_, n) => putOf(orders, { id: `${n}`, data: "x".repeat(390_000) })),
      /4194304/,
    ],
    ["to a table of another Region", () => [putOf(arn("us-east-1"), { id: "a" })], /eu-central-1, us-east-1/],
    [
      "to tables of two Regions",
      () => [putOf(arn("us-east-1"), { id: "a" }), putOf(arn("us-west-2"), { id: "a" })],
      /Regions/,
    ],
    [
      "with a number beyond 2^53",
      () => [putOf(orders, { id: "a", n: 2 ** 53 })],
      /write 0 holds a number beyond 2\^53; allowed is a BigInt/,
    ],
    ["with NaN", () => [putOf(orders, { id: "a", n: Number.NaN })], /NaN or an infinity/],
    [
      "with a Date",
      () => [putOf(orders, { id: "a" }), putOf(orders, { id: "b", at: new Date(7) })],
      /write 1 holds a value that DynamoDB cannot/,
    ],
    ["with an empty Set", () => [putOf(orders, { id: "a", tags: new Set() })], /an empty Set/],
    ["with a Set of objects", () => [putOf(orders, { id: "a", tags: new Set([{}]) })], /all of one kind/],
  ])("%s is refused before anything is sent, and says no value", async (_, actions, message) => {
    const { store, inputs } = recording("eu-central-1");
    const error = await commitOf(store, request(freshId(), actions())).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "config", message: expect.stringMatching(message) });
    expect((error as Error).message).not.toMatch(/9007199254740992|1970/);
    expect(inputs).toStrictEqual([]);
  });

  it("to a table's ARN in the client's own Region is sent", async () => {
    const { store, inputs } = recording("eu-central-1");
    const id = freshId();
    await sound.claim(ask(id));
    await commitOf(store, request(id, [putOf(arn("eu-central-1"), { id: "a" })])).catch(() => undefined);
    expect(inputs).toHaveLength(1);
  });

  it("knows the Region of an SDK client", async () => {
    expect(await sdkTransport(local.client({ region: "eu-west-3" })).region?.()).toBe("eu-west-3");
    expect(await sdkTransport({ send: async () => ({}) }).region?.()).toBeUndefined();
  });
});

const arn = (region: string) => `arn:aws:dynamodb:${region}:000000000000:table/orders`;
const putOf = (TableName: string, Item: Record<string, unknown>): WriteAction => ({ Put: { TableName, Item } });
