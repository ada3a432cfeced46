import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, describe, expect, it } from "vitest";
import { localConfig } from "../../infra/local/dynamodb-local.ts";
import type { IdempotencyStore } from "../../src/core/store.ts";
import { epochMillis } from "../../src/core/time.ts";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { connect } from "../../src/store/light/connect.ts";
import { dynamoDBStore as lightStore } from "../../src/store/light/dynamodb.ts";
import { checkLightOptions, type LightClientOptions } from "../../src/store/light/options.ts";
import { lightRuntime } from "../../src/store/light/runtime.ts";
import { ask, done, freshId, from, START } from "../contract/requests.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { type Fault, faultyClient, lostResponse, networkError, none, refused } from "../support/dynamodb-faults.ts";
import { faultyEndpoint } from "../support/faulty-endpoint.ts";

const local = await localDynamoDB();
const tableName = await local.createTable();

const takeover = { owner: "second", now: epochMillis(START + 30_000), from } as const;

/** A client whose requests meet faults below its retries, and one attempt at an endpoint of the test's own. */
interface Way {
  readonly name: string;
  faulty(faults: readonly Fault[], table: string): Promise<{ store: IdempotencyStore; sent: readonly string[] }>;
  once(endpoint: string): IdempotencyStore;
}

const closings: (() => void)[] = [];
afterAll(() => {
  for (const close of closings) close();
});

const sdk: Way = {
  name: "the SDK",
  async faulty(faults, table) {
    const { client, sent } = faultyClient(local, faults);
    return { store: dynamoDBStore({ client, tableName: table }), sent };
  },
  once(endpoint) {
    const requestHandler = { requestTimeout: 50, throwOnRequestTimeout: true };
    const client = local.client({ endpoint, maxAttempts: 1, requestHandler });
    closings.push(() => client.destroy());
    return dynamoDBStore({ client, tableName });
  },
};

/** As it is, without the pauses between attempts. */
const light = (options: LightClientOptions, table = tableName): IdempotencyStore => {
  const settings = checkLightOptions("lightClient", { ...localConfig, ...options });
  const client = connect(settings, { ...lightRuntime, random: () => 0 });
  closings.push(() => client.destroy());
  return lightStore({ client, tableName: table });
};
const overLight: Way = {
  name: "a light client",
  async faulty(faults, table) {
    const { endpoint, sent, close } = await faultyEndpoint(local, faults);
    closings.push(close);
    return { store: light({ endpoint }, table), sent };
  },
  once: (endpoint) => light({ endpoint, maxAttempts: 1, requestTimeout: { seconds: 0.05 } }),
};

describe.each([sdk, overLight])("a fault below the retries of $name", (way) => {
  const faulty = (faults: readonly Fault[], table = tableName) => way.faulty(faults, table);
  const sound = dynamoDBStore({ client: local.client(), tableName });
  const failure = (answer: Promise<unknown>): Promise<Record<string, unknown>> =>
    answer.then(
      () => expect.unreachable("it did not fail"),
      (error: Record<string, unknown>) => error,
    );

  const verbs = (store: IdempotencyStore): (() => Promise<unknown>)[] => [
    () => store.claim(ask("a")),
    () => store.claim(ask("a", takeover)),
    () => store.complete(done("a")),
    () => store.release({ id: "a", owner: "first", keepUntil: undefined }),
    () => store.read("a", { consistent: true }),
  ];

  it("that loses the claim's response lets the retry show my own claim", async () => {
    const id = freshId();
    const { store, sent } = await faulty([lostResponse]);
    const answer = await store.claim(ask(id));
    expect(sent).toStrictEqual(["PutItem", "PutItem"]);
    expect(answer).toMatchObject({ outcome: "conflict", found: { status: "IN_PROGRESS", owner: "first", attempt: 1 } });
  });

  it("that loses the takeover's response lets the retry show my own claim", async () => {
    const id = freshId();
    await sound.claim(ask(id));
    const { store } = await faulty([lostResponse]);
    const answer = await store.claim(ask(id, takeover));
    expect(answer).toMatchObject({
      outcome: "conflict",
      found: { status: "IN_PROGRESS", owner: "second", attempt: 2 },
    });
  });

  it("that loses the completion's response lets the retry show my own completion", async () => {
    const id = freshId();
    await sound.claim(ask(id));
    const { store } = await faulty([lostResponse]);
    expect(await store.complete(done(id))).toMatchObject({
      outcome: "conflict",
      found: { status: "COMPLETED", owner: "first" },
    });
  });

  it("that loses the release's response lets the retry find nothing", async () => {
    const id = freshId();
    await sound.claim(ask(id));
    const { store } = await faulty([lostResponse]);
    expect(await store.release({ id, owner: "first", keepUntil: undefined })).toStrictEqual({
      outcome: "conflict",
      found: undefined,
    });
  });

  it("that loses every response is a failure, and the write stands", async () => {
    const id = freshId();
    const { store } = await faulty([lostResponse, networkError("ECONNRESET"), networkError("ECONNRESET")]);
    expect(await failure(store.claim(ask(id)))).toMatchObject({
      code: "store_failed",
      reason: "unavailable",
      retryable: true,
    });
    expect(await sound.read(id, { consistent: true })).toMatchObject({ status: "IN_PROGRESS", owner: "first" });
  });

  it.concurrent("that throttles twice is outlasted", async () => {
    const throttled = refused("ProvisionedThroughputExceededException");
    const { store, sent } = await faulty([throttled, throttled]);
    expect((await store.claim(ask(freshId()))).outcome).toBe("claimed");
    expect(sent).toHaveLength(3);
  });

  it.concurrent("that throttles three times is a failure", async () => {
    const throttled = refused("ThrottlingException");
    const { store, sent } = await faulty([throttled, throttled, throttled]);
    const error = await failure(store.claim(ask(freshId())));
    expect(error).toMatchObject({ reason: "throttled", retryable: true, action: "dynamodb:PutItem", table: tableName });
    expect(sent).toHaveLength(3);
  });

  it.each([
    ["claim", (store: IdempotencyStore, id: string) => store.claim(ask(id))],
    ["takeover", (store: IdempotencyStore, id: string) => store.claim(ask(id, takeover))],
    ["complete", (store: IdempotencyStore, id: string) => store.complete(done(id))],
    ["release", (store: IdempotencyStore, id: string) => store.release({ id, owner: "first", keepUntil: undefined })],
  ])("by a transaction that holds the item answers %s with busy, at once", async (_, verb) => {
    const { store, sent } = await faulty([refused("TransactionConflictException")]);
    expect(await verb(store, freshId())).toStrictEqual({ outcome: "busy" });
    expect(sent).toHaveLength(1);
  });

  it("by the 400 KB limit of DynamoDB itself is too_large", async () => {
    const id = freshId();
    await sound.claim(ask(id, { fingerprint: "f".repeat(4_000) }));
    const answer = await sound.complete(done(id, { result: { encoding: "json", data: "x".repeat(408_800) } }));
    expect(answer).toMatchObject({ outcome: "too_large", limit: 409_600, bytes: 409_601 });
    expect(await sound.read(id, { consistent: true })).toMatchObject({ status: "IN_PROGRESS" });
  });

  it.each([
    ["InternalServerError", 500],
    ["ServiceUnavailable", 503],
  ])("by %s is unavailable after three attempts", async (type, status) => {
    const down = refused(type, "down", status);
    const { store, sent } = await faulty([down, down, down]);
    expect(await failure(store.claim(ask(freshId())))).toMatchObject({ reason: "unavailable", retryable: true });
    expect(sent).toHaveLength(3);
  });

  it("by a missing permission names the action and the table, and no account", async () => {
    const arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
    const message = `User: arn:aws:sts::123456789012:assumed-role/x is not authorized to perform: dynamodb:UpdateItem on resource: ${arn}`;
    const { store } = await faulty([refused("AccessDeniedException", message)], arn);
    const error = await failure(store.complete(done(freshId())));
    expect(error).toMatchObject({
      code: "store_failed",
      statusCode: 503,
      reason: "access_denied",
      retryable: false,
      table: "orders",
    });
    expect(error["message"]).toContain("dynamodb:UpdateItem on table orders: grant it to the function's role");
    expect(error["message"]).not.toContain("123456789012");
    expect(error["cause"]).toHaveProperty("message", message);
  });

  it.each(["UnrecognizedClientException", "ExpiredTokenException"])("by %s is about the credentials", async (type) => {
    const { store } = await faulty([refused(type)]);
    expect(await failure(store.read(freshId(), { consistent: true }))).toMatchObject({
      reason: "credentials",
      action: "dynamodb:GetItem",
    });
  });

  it("by a table that does not exist names the table", async () => {
    const { store } = await faulty([], "no-such-table");
    for (const verb of verbs(store)) {
      const error = await failure(verb());
      expect(error).toMatchObject({ reason: "missing_table", table: "no-such-table" });
      expect(error["message"]).toContain("table no-such-table does not exist");
    }
  });

  it("by a table with another key says which key is needed", async () => {
    const TableName = `other-${randomUUID()}`;
    const AttributeDefinitions = [{ AttributeName: "pk", AttributeType: "S" }] as const;
    const KeySchema = [{ AttributeName: "pk", KeyType: "HASH" }] as const;
    const schema = { TableName, AttributeDefinitions: [...AttributeDefinitions], KeySchema: [...KeySchema] };
    await local.client().send(new CreateTableCommand({ ...schema, BillingMode: "PAY_PER_REQUEST" }));
    const { store } = await faulty([], TableName);
    for (const verb of verbs(store)) {
      const error = await failure(verb());
      expect(error["reason"]).toBe("invalid_request");
      expect(error["message"]).toContain("the table's partition key must be a string named id");
    }
  });

  it("by nobody listening is unavailable", async () => {
    const error = await failure(way.once("http://127.0.0.1:1").claim(ask("a")));
    expect(error).toMatchObject({ reason: "unavailable", retryable: true });
  });

  it("by a server that never answers is a timeout", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const endpoint = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    expect(await failure(way.once(endpoint).claim(ask("a")))).toMatchObject({ reason: "timeout", retryable: true });
    server.close();
  });

  it("that delays one answer leaves the verdict to the condition", async () => {
    const id = freshId();
    const { store } = await faulty([none, lostResponse]);
    expect((await store.claim(ask(id))).outcome).toBe("claimed");
    await sound.release({ id, owner: "first", keepUntil: undefined });
    expect(await store.complete(done(id))).toStrictEqual({ outcome: "conflict", found: undefined });
  });
});
