import { randomUUID } from "node:crypto";
import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { currentClaim, idempotent } from "../../src/index.ts";
import { commit } from "../../src/store/commit.ts";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { connect } from "../../src/store/light/connect.ts";
import { dynamoDBStore as lightStore } from "../../src/store/light/dynamodb.ts";
import { checkLightOptions } from "../../src/store/light/options.ts";
import { lightRuntime } from "../../src/store/light/runtime.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { type Fault, faultyClient, none, refused } from "../support/dynamodb-faults.ts";
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
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    const client = connect(checkLightOptions("test", { endpoint, region: "local", credentials }), lightRuntime);
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
