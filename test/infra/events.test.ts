import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import type { APIGatewayProxyHandler, SQSHandler } from "aws-lambda";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { handler as orderHandler } from "../../infra/demo/api-orders.ts";
import type { handler as checkoutHandler } from "../../infra/demo/checkouts.ts";
import { type Events, readEvent } from "../../infra/demo/events.ts";
import type { handler as paymentHandler } from "../../infra/demo/payment-consumer.ts";
import type { handler as webhookHandler } from "../../infra/demo/webhook-payment.ts";

const files = readdirSync(new URL("../../events/", import.meta.url));

describe("the files of events/", () => {
  it.each(files)("%s can be read by its name, each time as a copy", (file) => {
    const kind = file.replace(/\.json$/, "") as keyof Events;
    expect(readEvent(kind)).toEqual(readEvent(kind));
    expect(readEvent(kind)).not.toBe(readEvent(kind));
  });

  const http = readEvent("api-gateway-http");
  const rest = readEvent("api-gateway-rest");
  const url = readEvent("function-url");
  const alb = readEvent("alb");
  const order = { orderId: "ord-1001", customer: "cus-7Qm3", amount: 5590, lines: [{ quantity: 2 }, { quantity: 1 }] };

  it.each([
    { name: "HTTP API", event: http, method: http.requestContext.http.method, path: http.rawPath },
    { name: "REST API", event: rest, method: rest.httpMethod, path: rest.path },
    { name: "load balancer", event: alb, method: alb.httpMethod, path: alb.path },
    { name: "function URL", event: url, method: url.requestContext.http.method, path: url.rawPath },
  ])("the event of the $name is POST /orders with a key and an order as JSON text", ({ event, method, path }) => {
    const headers = new Headers(event.headers as Record<string, string>);
    expect(`${method} ${path}`).toBe("POST /orders");
    expect(headers.get("idempotency-key")).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get("content-type")).toBe("application/json");
    expect(event.isBase64Encoded).toBe(false);
    expect(JSON.parse(event.body ?? "")).toMatchObject(order);
  });

  it.each([http, url])(
    "payload 2.0 has lower-case headers only, and the body's length",
    ({ version, headers, body }) => {
      expect(version).toBe("2.0");
      expect(Object.keys(headers).filter((name) => name !== name.toLowerCase())).toEqual([]);
      expect(headers["content-length"]).toBe(String(Buffer.byteLength(body ?? "")));
    },
  );

  it("payload 1.0 has the headers as they were sent, once single and once as lists", () => {
    expect(rest.headers["Idempotency-Key"]).toBe(http.headers["idempotency-key"]);
    const single = Object.entries(rest.multiValueHeaders).map(([name, values]) => [name, values?.at(-1)]);
    expect(Object.fromEntries(single)).toEqual(rest.headers);
  });

  it("the HTTP events name a principal where each kind of authorizer puts it", () => {
    expect(http.requestContext.authorizer.jwt.claims["sub"]).toBe("cus-7Qm3");
    expect(rest.requestContext.authorizer?.["principalId"]).toBe("cus-7Qm3");
    expect(url.requestContext.authorizer.iam.userArn).toMatch(/^arn:aws:sts::\d{12}:assumed-role\//);
  });

  it.each(["sqs", "sqs-fifo"] as const)(
    "%s holds two messages of their own, received once, with true digests",
    (kind) => {
      const { Records } = readEvent(kind);
      expect(new Set(Records.map(({ messageId }) => messageId)).size).toBe(2);
      expect(new Set(Records.map(({ body }) => JSON.parse(body).paymentId)).size).toBe(2);
      for (const { attributes, body, eventSource, eventSourceARN, md5OfBody } of Records) {
        expect(eventSource).toBe("aws:sqs");
        expect(eventSourceARN).toMatch(kind === "sqs" ? /:payments$/ : /:payments\.fifo$/);
        expect(attributes.ApproximateReceiveCount).toBe("1");
        expect(md5OfBody).toBe(createHash("md5").update(body).digest("hex"));
      }
    },
  );

  it("only the FIFO messages have a group, a deduplication id and a rising sequence number", () => {
    const [first, second] = readEvent("sqs-fifo").Records.map(({ attributes }) => attributes);
    expect(first?.MessageGroupId).toBe(second?.MessageGroupId);
    expect(first?.MessageDeduplicationId).not.toBe(second?.MessageDeduplicationId);
    expect(BigInt(first?.SequenceNumber ?? 0)).toBeLessThan(BigInt(second?.SequenceNumber ?? 0));
    for (const { attributes } of readEvent("sqs").Records) {
      expect(Object.keys(attributes)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^Message|^Sequence/)]),
      );
    }
  });

  it("the EventBridge event tells of the order that was placed", () => {
    expect(readEvent("eventbridge")).toMatchObject({ "detail-type": "OrderPlaced", detail: { orderId: "ord-1001" } });
  });
});

describe("the demo's handlers", () => {
  it("fit the handler types of AWS", () => {
    expectTypeOf<typeof orderHandler>().toExtend<APIGatewayProxyHandler>();
    expectTypeOf<typeof checkoutHandler>().toExtend<APIGatewayProxyHandler>();
    expectTypeOf<typeof webhookHandler>().toExtend<APIGatewayProxyHandler>();
    expectTypeOf<typeof paymentHandler>().toExtend<SQSHandler>();
  });
});
