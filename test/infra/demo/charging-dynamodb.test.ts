import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { lambdaContext } from "lambda-once/testing";
import { expect, it, vi } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";
import { localDynamoDB } from "../../support/dynamodb.ts";

const local = await localDynamoDB();
const base = local.client();
const [TableName, ledger] = [await local.createTable(), `ledger-${Date.now()}`];
Object.assign(process.env, {
  AWS_REGION: await base.config.region(),
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_ENDPOINT_URL_DYNAMODB: local.endpoint,
  LAMBDA_ONCE_TABLE: await local.createTable(),
  ORDERS_TABLE: TableName,
  LEDGER_TABLE: ledger,
  PAYMENT_PROVIDER_URL: "http://provider.example",
});
await base.send(
  new CreateTableCommand({
    TableName: ledger,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "reference", AttributeType: "S" },
      { AttributeName: "entryId", AttributeType: "S" },
    ],
    KeySchema: [
      { AttributeName: "reference", KeyType: "HASH" },
      { AttributeName: "entryId", KeyType: "RANGE" },
    ],
  }),
);
const document = DynamoDBDocumentClient.from(base);
const { handler } = await import("../../../infra/demo/api-orders.ts");
const { client: clientOfOrders } = await import("../../../infra/demo/order.ts");

const order = async (id: string) =>
  (await document.send(new GetCommand({ TableName, Key: { id }, ConsistentRead: true }))).Item;
const place = (id: string) => {
  const Item = { id, customer: "cus-1", orderNumber: id, amount: 100, status: "placed", version: 1 };
  return document.send(new PutCommand({ TableName, Item }));
};
function request(httpMethod: string, resource: string, id: string, more: Partial<APIGatewayProxyEvent> = {}) {
  const event = readEvent("api-gateway-rest");
  const path = resource.replace("{id}", id);
  Object.assign(event, { httpMethod, resource, path, pathParameters: { id }, ...more });
  event.requestContext.authorizer = { principalId: "cus-1" };
  return handler(event, lambdaContext({ remaining: { seconds: 9 } }));
}

// Seen by a reviewer: the second answer, which says nothing of the first request, made it an order that can be cancelled.
it("an order whose charge may be under way stays so until the provider says what became of it", async () => {
  await place("o-1");
  const answers = [
    async () => {
      throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }); // Charged; the answer is lost.
    },
    async () => new Response("{}", { status: 429 }),
    async () => Response.json({ chargeId: "ch-1" }),
  ];
  vi.stubGlobal("fetch", async () => (answers.shift() as () => Promise<Response>)());
  const payOnceTheLockHasLapsed = async () => {
    vi.setSystemTime(Date.now() + 60_000);
    return request("POST", "/orders/{id}/pay", "o-1");
  };
  for (const _ of ["the lost answer", "too many requests"]) {
    await payOnceTheLockHasLapsed().catch(() => undefined);
    expect(await order("o-1")).toMatchObject({ status: "charging" });
  }
  expect(await payOnceTheLockHasLapsed()).toMatchObject({ statusCode: 200 });
  vi.unstubAllGlobals();
  vi.useRealTimers();
  expect(await order("o-1")).toMatchObject({ status: "charged" });
});

// Seen by a reviewer: the second version was the payment's.
it("an order that begins to be charged is not changed by a list of versions", async () => {
  await place("o-2");
  let isFirst = true;
  clientOfOrders.middlewareStack.add(
    (next, context) => async (args) => {
      const answer = await next(args);
      if (isFirst && /^Get/.test(String(context["commandName"]))) {
        isFirst = false;
        await document.send(
          new UpdateCommand({
            TableName,
            Key: { id: "o-2" },
            UpdateExpression: "SET #s = :c, version = :v",
            ExpressionAttributeNames: { "#s": "status" },
            ExpressionAttributeValues: { ":c": "charging", ":v": 2 },
          }),
        );
      }
      return answer;
    },
    { step: "initialize", name: "a payment between the read and the write" },
  );
  const headers = { "If-Match": '"1", "2"' };
  const changed = await request("PUT", "/orders/{id}", "o-2", { headers, multiValueHeaders: {}, body: '{"amount":5}' });
  expect(changed.statusCode).toBe(412);
  expect(await order("o-2")).toMatchObject({ status: "charging", amount: 100 });
});

// A process that wakes up past its lock must not open an order again that another attempt charges now.
it("an order that is charged anew is left alone by an attempt whose charge was refused long ago", async () => {
  await place("o-3");
  vi.stubGlobal("fetch", async () => {
    await document.send(
      new UpdateCommand({
        TableName,
        Key: { id: "o-3" },
        UpdateExpression: "SET version = version + :two",
        ExpressionAttributeValues: { ":two": 2 },
      }),
    );
    return new Response("{}", { status: 402 });
  });
  await request("POST", "/orders/{id}/pay", "o-3");
  vi.unstubAllGlobals();
  expect(await order("o-3")).toMatchObject({ status: "charging", version: 4 });
});
