import { GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import type { IdempotencyStore } from "../../src/core/store.ts";
import { epochMillis } from "../../src/core/time.ts";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { systemClock } from "../../src/store/options.ts";
import { sdkTransport } from "../../src/store/sdk.ts";
import { tableStore } from "../../src/store/table.ts";
import type { Transport } from "../../src/store/transport.ts";
import { ask, done, freshId, from, START } from "../contract/requests.ts";
import { localDynamoDB } from "../support/dynamodb.ts";

const local = await localDynamoDB();
const tableName = await local.createTable();

const takeover = { owner: "second", now: epochMillis(START + 30_000), from } as const;

describe("the requests of a store", () => {
  const recording = (): { store: IdempotencyStore; sent: [string, Record<string, unknown>][] } => {
    const sent: [string, Record<string, unknown>][] = [];
    const transport = sdkTransport(local.client());
    const recorder: Transport = {
      send(operation, input) {
        sent.push([operation, { ...input }]);
        return transport.send(operation, input);
      },
    };
    return { store: tableStore({ transport: recorder, table: tableName, clock: systemClock }), sent };
  };
  const operations = (sent: [string, unknown][]): string[] => sent.map(([operation]) => operation);

  it("are two for a first execution, one for a replay, two for a failure", async () => {
    const { store, sent } = recording();
    const [id, failing] = [freshId(), freshId()];
    await store.claim(ask(id));
    await store.complete(done(id));
    expect(operations(sent.splice(0))).toStrictEqual(["PutItem", "UpdateItem"]);
    await store.claim(ask(id, { owner: "second" }));
    expect(operations(sent.splice(0))).toStrictEqual(["PutItem"]);
    await store.claim(ask(failing));
    await store.release({ id: failing, owner: "first", keepUntil: undefined });
    expect(operations(sent.splice(0))).toStrictEqual(["PutItem", "DeleteItem"]);
  });

  it("are one for a takeover, won or lost, and one for a read", async () => {
    const { store, sent } = recording();
    const id = freshId();
    await store.claim(ask(id));
    sent.splice(0);
    expect((await store.claim(ask(id, takeover))).outcome).toBe("claimed");
    expect((await store.claim(ask(id, takeover))).outcome).toBe("conflict");
    await store.read(id, { consistent: false });
    expect(operations(sent)).toStrictEqual(["UpdateItem", "UpdateItem", "GetItem"]);
    expect(sent[2]?.[1]).toStrictEqual({ TableName: tableName, Key: { id: { S: id } }, ConsistentRead: false });
  });

  it("is none for a result that cannot fit", async () => {
    const { store, sent } = recording();
    const id = freshId();
    await store.complete(done(id, { result: { encoding: "json", data: "x".repeat(400 * 1024) } }));
    expect(sent).toStrictEqual([]);
  });

  it("carry their conditions, names through #, and ask for what stood there", async () => {
    const { store, sent } = recording();
    const id = freshId();
    await store.claim(ask(id));
    await store.claim(ask(id, takeover));
    await store.claim(ask(id, { ...takeover, from: { ...takeover.from, status: "RELEASED" } }));
    await store.complete(done(id));
    await store.release({ id, owner: "first", keepUntil: undefined });
    const vacant =
      "attribute_not_exists(#id) OR (#expiresAt <= :s AND (attribute_not_exists(#lockedUntil) OR #lockedUntil <= :ms))";
    const seen = "#status = :seenStatus AND #owner = :seen AND #attempt = :seenAttempt";
    const held = "#owner = :me AND #status = :running";
    expect(sent.map(([, input]) => input["ConditionExpression"])).toStrictEqual([
      vacant,
      `${seen} AND #lockedUntil <= :ms`,
      seen,
      held,
      held,
    ]);
    expect(sent[0]?.[1]["ExpressionAttributeValues"]).toStrictEqual({
      ":s": { N: String(START / 1000) },
      ":ms": { N: String(START) },
    });
    expect(sent[3]?.[1]["ExpressionAttributeValues"]).toMatchObject({
      ":me": { S: "first" },
      ":running": { S: "IN_PROGRESS" },
    });
    for (const [, input] of sent)
      expect(input).toMatchObject({ TableName: tableName, ReturnValuesOnConditionCheckFailure: "ALL_OLD" });
    for (const [, input] of sent) {
      const expressions = `${input["UpdateExpression"] ?? ""} ${input["ConditionExpression"]}`;
      const bare = expressions
        .replace(/[#:]\w+/g, "")
        .match(/\b(?!SET|REMOVE|AND|OR|attribute_not_exists|if_not_exists)\w+/g);
      expect(bare).toBeNull();
    }
  });

  it("compares an expiry with the whole second that has begun", async () => {
    const { store, sent } = recording();
    await store.claim(ask(freshId(), { now: epochMillis(START + 999) }));
    expect(sent[0]?.[1]["ExpressionAttributeValues"]).toStrictEqual({
      ":s": { N: String(START / 1000) },
      ":ms": { N: String(START + 999) },
    });
  });
});

describe("a client of the user's own", () => {
  it("may be a document client, and raw items come back as they are", async () => {
    const marshallOptions = { convertEmptyValues: true, removeUndefinedValues: true };
    const document = DynamoDBDocumentClient.from(local.client(), { marshallOptions });
    const store = dynamoDBStore({ client: document, tableName });
    const id = freshId();
    expect(await store.claim(ask(id))).toMatchObject({ outcome: "claimed" });
    expect(await store.claim(ask(id, takeover))).toMatchObject({
      outcome: "claimed",
      record: { attempt: 2, steps: {} },
    });
    const result = { encoding: "x", data: Uint8Array.of(1, 2) };
    expect(await store.complete(done(id, { owner: "second", result }))).toStrictEqual({ outcome: "written" });
    expect(await store.claim(ask(id))).toMatchObject({ outcome: "conflict", found: { status: "COMPLETED", result } });
    expect(await store.read(id, { consistent: true })).toMatchObject({ status: "COMPLETED", result });
    const raw = await local.client().send(new GetItemCommand({ TableName: tableName, Key: { id: { S: id } } }));
    expect(raw.Item).toMatchObject({ status: { S: "COMPLETED" }, result: { B: Uint8Array.of(1, 2) } });
  });

  it("may cache its middleware", async () => {
    const config = { cacheMiddleware: true };
    const store = dynamoDBStore({ client: local.client(config), tableName });
    const [id, other] = [freshId(), freshId()];
    expect(
      (await Promise.all([store.claim(ask(id)), store.claim(ask(other))])).map(({ outcome }) => outcome),
    ).toStrictEqual(["claimed", "claimed"]);
    expect(await store.read(other, { consistent: true })).toMatchObject({ id: other });
  });
});

describe("a step whose name is __proto__", () => {
  it("survives a takeover", async () => {
    const client = local.client();
    const store = dynamoDBStore({ client, tableName });
    const id = freshId();
    await store.claim(ask(id));
    await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { id: { S: id } },
        UpdateExpression: "SET steps.#step = :step",
        ExpressionAttributeNames: { "#step": "__proto__" },
        ExpressionAttributeValues: { ":step": { M: { encoding: { S: "json" }, data: { S: "1" } } } },
      }),
    );
    const answer = await store.claim(ask(id, takeover));
    const steps = answer.outcome === "claimed" ? answer.record.steps : {};
    expect(Object.entries(steps)).toStrictEqual([["__proto__", { encoding: "json", data: "1" }]]);
  });
});
