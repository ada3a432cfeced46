import type { APIGatewayProxyEvent } from "aws-lambda";
import { lambdaContext, type TestingStore, testingStore, useStore } from "lambda-once/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";

process.env["LAMBDA_ONCE_TABLE"] ??= "idempotency";
process.env["AWS_REGION"] ??= "eu-central-1";
const { handler } = await import("../../../infra/demo/api-orders.ts");

/** The order of events/api-gateway-rest.json, which would be booked: these requests are refused before that. */
function request(change: (event: APIGatewayProxyEvent) => void) {
  const event = readEvent("api-gateway-rest");
  change(event);
  return handler(event, lambdaContext());
}

/** An order without an amount: answered 400, and that answer is kept. */
const bad = (event: APIGatewayProxyEvent) => {
  event.body = JSON.stringify({ orderId: "ord-1001" });
};

describe("POST /orders over HTTP", () => {
  let store: TestingStore;
  let restore: () => void;
  beforeEach(() => {
    store = testingStore();
    restore = useStore(store);
  });
  afterEach(() => restore());

  it("answers a request that is sent again with the stored answer, and says so", async () => {
    const first = await request(bad);
    expect(first).toMatchObject({ statusCode: 400, headers: { "content-type": "application/json" } });
    const again = await request(bad);
    expect(again).toEqual({ ...first, headers: { ...first.headers, "Idempotent-Replayed": "true" } });
    expect(store.records()).toMatchObject([{ status: "COMPLETED", attempt: 1 }]);
  });

  it("knows the key by its header however that is spelled, as HTTP/2 spells it small", async () => {
    await request(bad);
    const again = await request((event) => {
      bad(event);
      const { "Idempotency-Key": key, ...headers } = event.headers;
      event.headers = { ...headers, "idempotency-key": key };
    });
    expect(again.headers).toMatchObject({ "Idempotent-Replayed": "true" });
  });

  it("keeps the keys of two callers apart", async () => {
    await request(bad);
    const other = await request((event) => {
      bad(event);
      event.requestContext.authorizer = { principalId: "cus-other" };
    });
    expect(other.headers).not.toHaveProperty("Idempotent-Replayed");
    expect(store.records()).toHaveLength(2);
  });

  it("compares what the JSON says, not how it is written", async () => {
    await request(bad);
    const spaced = await request((event) => {
      event.body = '{ "orderId" : "ord-1001" }';
    });
    expect(spaced.headers).toMatchObject({ "Idempotent-Replayed": "true" });
  });

  it.each<[string, number, string, Partial<APIGatewayProxyEvent>]>([
    ["another order under the key", 422, "key_reused", { body: "{}" }],
    ["no key", 400, "key_missing", { headers: {}, multiValueHeaders: {} }],
    ["an empty key", 400, "key_missing", { headers: { "Idempotency-Key": "" }, multiValueHeaders: {} }],
    ["no caller", 401, "principal_missing", { requestContext: readEvent("api-gateway-http").requestContext as never }],
  ])("refuses %s with %i %s", async (_, statusCode, code, change) => {
    await request(bad);
    const refused = await request((event) => {
      bad(event);
      Object.assign(event, change);
    });
    expect(refused.statusCode).toBe(statusCode);
    expect(JSON.parse(refused.body)).toMatchObject({ type: expect.stringMatching(new RegExp(`/${code}$`)) });
    expect(store.records()).toHaveLength(1);
  });

  it("answers 503, and does not run, while the records cannot be reached", async () => {
    store.failNext("claim");
    const refused = await request(bad);
    expect(refused.statusCode).toBe(503);
    expect(JSON.parse(refused.body)).toMatchObject({ type: expect.stringMatching(/\/store_failed$/) });
    expect(store.records()).toEqual([]);
  });

  it.each([
    null,
    "",
    "no JSON",
    "null",
    "[]",
    '{"orderId":"","amount":1}',
    '{"orderId":"o","amount":1.5}',
    '{"orderId":"o","amount":-1}',
  ])("books nothing for the body %s", async (body) => {
    const refused = await request((event) => {
      event.body = body;
    });
    expect(refused.statusCode).toBe(400);
    expect(JSON.parse(refused.body)).toMatchObject({ message: expect.stringContaining("allowed is") });
  });
});
