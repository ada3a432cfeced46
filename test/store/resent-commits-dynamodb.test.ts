import { randomUUID } from "node:crypto";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { GetItemCommand, PutItemCommand, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import type { IdempotencyStore } from "../../src/core/store.ts";
import { currentClaim, idempotent } from "../../src/index.ts";
import { commit } from "../../src/store/commit.ts";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { connect } from "../../src/store/light/connect.ts";
import { dynamoDBStore as lightStore } from "../../src/store/light/dynamodb.ts";
import { checkLightOptions, type LightClientOptions } from "../../src/store/light/options.ts";
import { type LightRuntime, lightRuntime } from "../../src/store/light/runtime.ts";
import { sendWatched } from "../../src/store/watch.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { type Fault, faultyClient, networkError, none, refused } from "../support/dynamodb-faults.ts";
import { faultyEndpoint } from "../support/faulty-endpoint.ts";

// Seen in review: the client's first try had no answer, its second one was refused, and the first one arrived after that.

const local = await localDynamoDB();
const [tableName, orders] = [await local.createTable(), await local.createTable()];
const isWritten = async (id: string): Promise<boolean> => {
  const request = { TableName: orders, Key: { id: { S: id } }, ConsistentRead: true };
  return (await local.client().send(new GetItemCommand(request))).Item !== undefined;
};
const setOpen = (id: string, open: boolean) =>
  local
    .client()
    .send(new PutItemCommand({ TableName: orders, Item: { id: { S: `stock-${id}` }, open: { BOOL: open } } }));
const writesOf = (id: string) =>
  [
    {
      ConditionCheck: {
        TableName: orders,
        Key: { id: `stock-${id}` },
        ConditionExpression: "#open = :true",
        ExpressionAttributeNames: { "#open": "open" },
        ExpressionAttributeValues: { ":true": true },
      },
    },
    { Put: { TableName: orders, Item: { id } } },
  ] as const;

/** A try that is cut off for its client, and reaches DynamoDB when it is let go. */
function delayed(): { readonly fault: Fault; arrive(): Promise<unknown> } {
  let send: (() => Promise<unknown>) | undefined;
  return {
    async fault(go) {
      send = go;
      throw Object.assign(new Error("socket hang up (injected)"), { name: "TimeoutError", code: "ECONNRESET" });
    },
    arrive: async () => send?.(),
  };
}

const LOCAL = { accessKeyId: "local", secretAccessKey: "local" };
const lightAt = (
  endpoint: string,
  credentials: LightClientOptions["credentials"] = LOCAL,
  more: Partial<LightRuntime> = {},
) => connect(checkLightOptions("test", { endpoint, region: "local", credentials }), { ...lightRuntime, ...more });

const told = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
const unknown = { code: "store_failed", outcome: "unknown" };

describe("an earlier try of the client's own that arrives after a later one was refused", () => {
  it.each(["commit", "start"] as const)("was never told not to be carried out (claimAt '%s')", async (claimAt) => {
    const [late, id] = [delayed(), randomUUID()];
    const { client } = faultyClient(local, claimAt === "start" ? [none, late.fault] : [late.fault]);
    const place = idempotent(
      async (order: { id: string }) => {
        currentClaim().write(...writesOf(order.id));
        return "placed";
      },
      { store: dynamoDBStore({ client, tableName }), operation: "place", key: "id", claimAt },
    );
    await setOpen(id, false);
    expect(await told(place({ id }))).toMatchObject(unknown);
    await setOpen(id, true);
    await late.arrive();
    expect(await isWritten(id)).toBe(true);
    expect(await told(place({ id }))).toBe("placed");
  });

  it("is no refusal for a function that commits by itself", async () => {
    const [late, id] = [delayed(), randomUUID()];
    const { client } = faultyClient(local, [none, late.fault]);
    const place = idempotent(
      async (order: { id: string }) => {
        const { committed } = await currentClaim().commit([...writesOf(order.id)], { result: "committed" });
        return committed ? "committed" : "refused";
      },
      { store: dynamoDBStore({ client, tableName }), operation: "place-now", key: "id" },
    );
    await setOpen(id, false);
    expect(await told(place({ id }))).toMatchObject(unknown);
    await setOpen(id, true);
    await late.arrive();
    expect(await told(place({ id }))).toBe("committed");
  });

  it("is unknown to commit() as well", async () => {
    const [late, id] = [delayed(), randomUUID()];
    const { client } = faultyClient(local, [late.fault]);
    await setOpen(id, false);
    expect(await told(commit(client, writesOf(id)))).toMatchObject(unknown);
    await setOpen(id, true);
    await late.arrive();
    expect(await isWritten(id)).toBe(true);
  });

  it("is told apart from one that was throttled: that one arrives no more", async () => {
    const id = randomUUID();
    const { client, sent } = faultyClient(local, [refused("ThrottlingException")]);
    await setOpen(id, false);
    expect(await told(commit(client, writesOf(id)))).toMatchObject({ committed: false });
    expect(sent).toHaveLength(2);
  });

  it("is seen by the light client too", async () => {
    const [late, id] = [delayed(), randomUUID()];
    const { endpoint, close } = await faultyEndpoint(local, [late.fault, refused("AccessDeniedException")]);
    const client = lightAt(endpoint);
    const place = idempotent(
      async (order: { id: string }) => {
        currentClaim().write(...writesOf(order.id));
        return "placed";
      },
      { store: lightStore({ client, tableName }), operation: "place-lightly", key: "id", claimAt: "commit" },
    );
    await setOpen(id, true);
    expect(await told(place({ id }))).toMatchObject(unknown);
    close();
    client.destroy();
  });
});

const throttled = refused("ProvisionedThroughputExceededException");
const refusedConnection = networkError("ECONNREFUSED");
const placing = (store: IdempotencyStore, claimAt: "start" | "commit" = "commit") =>
  idempotent(
    async (order: { id: string }) => {
      currentClaim().write(...writesOf(order.id));
      return "placed";
    },
    { store, operation: `place-${randomUUID()}`, key: "id", claimAt },
  );

describe("what is known of the client's earlier tries", () => {
  it("is not forgotten where the look at the record is denied", async () => {
    const [late, id] = [delayed(), randomUUID()];
    const denied = refused("AccessDeniedException");
    const { client } = faultyClient(local, [late.fault, none, denied, denied, denied]);
    await setOpen(id, false);
    expect(await told(placing(dynamoDBStore({ client, tableName }))({ id }))).toMatchObject(unknown);
    await setOpen(id, true);
    await late.arrive();
    expect(await isWritten(id)).toBe(true);
  });

  it("is not forgotten where the look at the record is throttled, over the light client", async () => {
    const [late, id] = [delayed(), randomUUID()];
    const { endpoint, close } = await faultyEndpoint(local, [late.fault, none, throttled, throttled, throttled]);
    const client = lightAt(endpoint);
    await setOpen(id, false);
    expect(await told(placing(lightStore({ client, tableName }))({ id }))).toMatchObject(unknown);
    close();
    client.destroy();
  });

  it("is not forgotten where the credentials end before the next one, over the light client", async () => {
    const [late, id] = [delayed(), randomUUID()];
    const { endpoint, close } = await faultyEndpoint(local, [late.fault]);
    let [time, asked] = [1_800_000_000_000, 0];
    const provider = () => {
      if (++asked > 1) throw new Error("no credentials now");
      return { ...LOCAL, expiration: new Date(time + 1_000) };
    };
    const client = lightAt(endpoint, provider, {
      now: () => time,
      async sleep() {
        time += 2_000;
      },
    });
    await setOpen(id, true);
    expect(await told(placing(lightStore({ client, tableName }))({ id }))).toMatchObject(unknown);
    close();
    client.destroy();
  });

  it.each(["start", "commit"] as const)(
    "is not made up where the look is throttled (claimAt '%s')",
    async (claimAt) => {
      const id = randomUUID();
      const claim = claimAt === "start" ? [none] : [];
      const { client } = faultyClient(local, [...claim, none, throttled, throttled, throttled]);
      await setOpen(id, false);
      const answer = await told(placing(dynamoDBStore({ client, tableName }), claimAt)({ id }));
      expect(answer).toMatchObject({ code: "write_conflict" });
    },
  );

  it.each([1, 3])("is that nothing was sent, where there was no connection %d times", async (times) => {
    const id = randomUUID();
    await setOpen(id, false);
    const refusals = Array(times).fill(refusedConnection);
    const store = dynamoDBStore({ client: faultyClient(local, refusals).client, tableName });
    expect(await told(placing(store)({ id }))).toMatchObject({ code: "write_conflict" });
    const { client } = faultyClient(local, refusals);
    expect(await told(commit(client, writesOf(id)))).toMatchObject({ committed: false });
  });

  it("is that nothing was sent, where the light client got no connection", async () => {
    const id = randomUUID();
    await setOpen(id, false);
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    await new Promise((resolve) => taken.close(resolve));
    let opened: Awaited<ReturnType<typeof forwardFrom>> | undefined;
    const client = lightAt(`http://127.0.0.1:${port}`, LOCAL, {
      async sleep() {
        opened ??= await forwardFrom(port);
      },
    });
    expect(await told(placing(lightStore({ client, tableName }))({ id }))).toMatchObject({ code: "write_conflict" });
    client.destroy();
    opened?.close();
  });

  it("does not mask an error that cannot be written to", async () => {
    const declined = Object.freeze(Object.assign(new Error("declined"), { name: "Declined" }));
    const client = { send: () => Promise.reject(declined) };
    const command = new TransactWriteItemsCommand({ TransactItems: [] });
    expect(await told(sendWatched(client, command))).toBe(declined);
  });
});

/** Connections to a port reach DynamoDB Local from now on. */
async function forwardFrom(port: number): Promise<{ close(): void }> {
  const { hostname, port: to } = new URL(local.endpoint);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = createConnection({ host: hostname, port: Number(to) });
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on("error", () => undefined);
    }
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

it("a write on the record of its own claim is refused before anything is sent", async () => {
  const { client, sent } = faultyClient(local, []);
  const overwrite = idempotent(
    async (_: { id: string }) => {
      currentClaim().write({ Delete: { TableName: tableName, Key: { id: currentClaim().id } } });
      return "done";
    },
    { store: dynamoDBStore({ client, tableName }), operation: "overwrite", key: "id" },
  );
  expect(await told(overwrite({ id: randomUUID() }))).toMatchObject({ code: "config" });
  expect(sent).toStrictEqual(["PutItem", "DeleteItem"]);
});
