import { createHash } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { ReceiveMessageCommand, SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEvent, SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type LocalStack, startStack } from "../../../infra/local/stack.ts";
import { writeAssembly } from "./fixture.ts";

/** Processes start here, on a machine that may be busy. */
const patient = { timeout: 20_000 };

let stack: LocalStack;
const before = performance.now();
beforeAll(async () => {
  stack = await startStack({ cdkOut: writeAssembly(), concurrency: 8 });
}, 30_000);
afterAll(() => stack.stop(), 30_000);

const call = (path: string, init: RequestInit = {}) => fetch(`${stack.apiUrl}${path}`, init);
const doing = (what: string, value = 0) => call(`/do/${what}?value=${value}`);
const answerOf = async (response: Response) => `${response.status} ${await response.text()}`;
const echo = async (path: string, init?: RequestInit) => {
  const { event } = (await (await call(path, init)).json()) as { event: APIGatewayProxyEvent };
  return event;
};

describe("the API", patient, () => {
  it("is up within a few seconds", () => {
    expect(performance.now() - before).toBeLessThan(15_000);
    expect(stack.apiUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/prod$/);
  });

  it("gives a function the event of payload format 1.0", async () => {
    const event = await echo("/do/echo?a=1&a=2&b=%C3%BC", {
      method: "POST",
      headers: { "X-Mixed-Case": "yes", "content-type": "text/plain" },
      body: "hällo",
    });
    expect(event).toMatchObject({
      resource: "/do/{what}",
      path: "/do/echo",
      httpMethod: "POST",
      queryStringParameters: { a: "2", b: "ü" },
      multiValueQueryStringParameters: { a: ["1", "2"], b: ["ü"] },
      pathParameters: { what: "echo" },
      stageVariables: null,
      body: "hällo",
      isBase64Encoded: false,
      requestContext: {
        stage: "prod",
        path: "/prod/do/echo",
        resourcePath: "/do/{what}",
        httpMethod: "POST",
        accountId: "000000000000",
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        identity: { sourceIp: "127.0.0.1", userAgent: "node" },
      },
    });
    expect(event.requestContext).not.toHaveProperty("authorizer");
    expect(event.multiValueHeaders["X-Forwarded-Proto"]).toEqual(["https"]);
  });

  it("gives a body of a binary media type as base64, and takes one", async () => {
    const body = new Uint8Array([0, 1, 2, 255]);
    const event = await echo("/do/echo", { method: "POST", headers: { "content-type": "image/png" }, body });
    expect(event).toMatchObject({ body: "AAEC/w==", isBase64Encoded: true });
    const answer = await call("/do/base64", { headers: { accept: "image/png" } });
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(body);
  });

  it("has neither query nor body nor parameters where there are none", async () => {
    const event = await echo("/do/echo", { method: "DELETE" });
    expect(event).toMatchObject({ queryStringParameters: null, multiValueQueryStringParameters: null, body: null });
  });

  it("leads everything below a greedy path to its method, decoded", async () => {
    const response = await call("/files/a/b%20c");
    expect(response.status).toBe(200);
    expect(await answerOf(await call("/files/a/b", { method: "PUT" }))).toBe(
      '403 {"message":"Missing Authentication Token"}',
    );
  });

  it("sends several headers of one name, and renames those that API Gateway keeps for itself", async () => {
    const { headers } = await doing("cookies");
    expect(headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(headers.get("x-amzn-remapped-server")).toBe("me");
    expect(headers.get("content-type")).toBe("application/json");
  });

  it("answers a preflight by itself", async () => {
    const response = await call("/orders", { method: "OPTIONS" });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://shop.example");
  });

  it.each([
    ["an unknown route", "/nowhere", {}, 403, "Missing Authentication Token"],
    ["an unknown method", "/orders", { method: "PATCH" }, 403, "Missing Authentication Token"],
    ["a path that is not encoded well", "/do/%zz", {}, 400, "Bad Request"],
    [
      "a body above six megabytes",
      "/do/echo",
      { method: "POST", body: "x".repeat(6_300_000) },
      413,
      "Request Too Long",
    ],
    [
      "a body above ten megabytes",
      "/do/echo",
      { method: "POST", body: "x".repeat(10_500_000) },
      413,
      "Request Too Long",
    ],
    ["a result without a status", "/do/malformed", {}, 502, "Internal server error"],
    ["a body that is no text", "/do/no-string", {}, 502, "Internal server error"],
    ["a header that cannot be sent", "/do/bad-header", {}, 502, "Internal server error"],
    ["no result", "/do/nothing", {}, 502, "Internal server error"],
    ["a result above six megabytes", "/do/large", {}, 502, "Internal server error"],
    ["a function that throws", "/do/throw", {}, 502, "Internal server error"],
    ["a function that ends its process", "/do/exit", {}, 502, "Internal server error"],
    ["a function that runs out of time", "/do/sleep?value=5000", {}, 502, "Internal server error"],
    ["a function that cannot be loaded", "/broken", {}, 502, "Internal server error"],
    ["a function that outlives the integration", "/slow?what=sleep&value=500", {}, 504, "Endpoint request timed out"],
  ])("answers %s as API Gateway does", async (_, path, init, status, message) => {
    const response = await call(path, init);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ message });
    if (status >= 500) expect(response.headers.get("access-control-allow-origin")).toBe("*"); // Its gateway response.
  });

  it("answers 403 outside its stage", async () => {
    const url = stack.apiUrl.replace(/prod$/, "test/do/echo");
    expect(await answerOf(await fetch(url))).toBe('403 {"message":"Forbidden"}');
  });

  it("answers malformed HTTP with 400", async () => {
    const socket = connect(Number(new URL(stack.apiUrl).port), "127.0.0.1");
    socket.write("this is no HTTP\r\n\r\n");
    const chunks: string[] = [];
    for await (const chunk of socket) chunks.push(String(chunk));
    expect(chunks.join("")).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\{"message":"Bad Request"\}$/);
  });

  it("names the module that a function cannot load in the function's log", async () => {
    await call("/broken");
    await vi.waitFor(() => expect(stack.logs("BrokenFunction").join("\n")).toContain("no-such-module.mjs"));
  });

  it("answers 500 when all environments are taken and no more are allowed", async () => {
    await vi.waitFor(() => expect(stack.faults.kill("Worker")).toBe(0)); // What other tests have left running.
    const answers = await Promise.all(Array.from({ length: 10 }, () => doing("sleep", 400)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(8).fill(200), 500, 500]);
  });
});

describe("the authorizer", patient, () => {
  const order = (headers: Record<string, string>, method = "POST") => call("/orders", { method, headers });

  it("tells the function whose request it is", async () => {
    const { status } = await order({ authorization: "let-in", "Idempotency-Key": "k" });
    expect(status).toBe(200);
  });

  it.each([
    ["no token", {}, '401 {"message":"Unauthorized"}'],
    ["a token in the wrong form", { authorization: "UPPER" }, '401 {"message":"Unauthorized"}'],
    ["a token that is not known", { authorization: "who" }, '401 {"message":"Unauthorized"}'],
    ["an answer without a policy", { authorization: "nonsense" }, '500 {"message":null}'],
    ["an authorizer that fails", { authorization: "fall-over" }, '500 {"message":null}'],
    [
      "no Idempotency-Key",
      { authorization: "let-in" },
      '400 {"message":"Missing required request parameters: [Idempotency-Key]"}',
    ],
    [
      "an empty Idempotency-Key",
      { authorization: "let-in", "idempotency-key": "" },
      '400 {"message":"Missing required request parameters: [Idempotency-Key]"}',
    ],
  ])("answers %s before any function runs", async (_, headers, expected) => {
    const runs = stack.invocations.filter((one) => one.function === "Worker").length;
    expect(await answerOf(await order(headers as Record<string, string>))).toBe(expected);
    expect(stack.invocations.filter((one) => one.function === "Worker")).toHaveLength(runs);
  });

  it("answers 403 where the policy denies", async () => {
    expect(await answerOf(await order({ authorization: "keep-out" }))).toMatch(
      /^403 .*"User is not authorized .* explicit deny/,
    );
  });

  it("keeps its answer for the token's other requests, so that a policy for one route denies the rest", async () => {
    const headers = { authorization: "this-one", "idempotency-key": "k" };
    expect((await order(headers)).status).toBe(200);
    expect(await answerOf(await order(headers, "GET"))).toBe(
      '403 {"Message":"User is not authorized to access this resource"}',
    );
    expect(stack.logs("GuardFunction").filter((line) => line.includes("this-one"))).toHaveLength(1);
  });
});

describe("queues", patient, () => {
  const sendTo = async (queue: string, ...messages: { MessageBody: string; MessageGroupId?: string }[]) => {
    const Entries = messages.map((message, index) => ({ Id: `${index}`, ...message }));
    await stack.clients.sqs.send(new SendMessageBatchCommand({ QueueUrl: stack.queueUrl(queue), Entries }));
  };
  const send = async (...bodies: string[]) => {
    const Entries = bodies.map((MessageBody, index) => ({
      Id: `${index}`,
      MessageBody,
      MessageAttributes: { kind: { DataType: "String", StringValue: "test" } },
    }));
    await stack.clients.sqs.send(new SendMessageBatchCommand({ QueueUrl: stack.queueUrl("QueueUrl"), Entries }));
  };
  const events = () =>
    stack
      .logs("Consumer")
      .map((line) => line.slice(line.indexOf("{")))
      .filter((line) => line.startsWith('{"Records"'))
      .map((line) => JSON.parse(line) as SQSEvent);
  const received = (body: string) =>
    events().flatMap(({ Records }) => Records.filter((record) => record.body === body));
  const dead = async () => {
    const { Messages = [] } = await stack.clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: stack.queueUrl("DeadLetters"), MaxNumberOfMessages: 10 }),
    );
    return Messages.map(({ Body }) => Body);
  };
  beforeEach(() => vi.waitFor(async () => expect(await stack.faults.redeliver("Queue")).toBe(0)));

  it("feeds its function with SQS's own event", async () => {
    await send("fine");
    await vi.waitFor(() => expect(received("fine")).toHaveLength(1), 5_000);
    expect(received("fine")[0]).toEqual({
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      receiptHandle: expect.any(String),
      body: "fine",
      attributes: {
        ApproximateReceiveCount: "1",
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: expect.any(String),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {
        kind: { stringValue: "test", stringListValues: [], binaryListValues: [], dataType: "String" },
      },
      md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
      md5OfBody: createHash("md5").update("fine").digest("hex"),
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:eu-central-1:000000000000:Shop-Queue",
      awsRegion: "eu-central-1",
    });
  });

  it("delivers what the function reports again, and moves it to the dead letter queue after maxReceiveCount", async () => {
    await send("good", "poison");
    await vi.waitFor(async () => expect(await stack.faults.redeliver("Queue")).toBe(1), 5_000);
    await vi.waitFor(() => expect(received("poison")).toHaveLength(2), 5_000);
    expect(received("poison")[1]?.attributes.ApproximateReceiveCount).toBe("2");
    await vi.waitFor(async () => expect(await stack.faults.redeliver("Queue")).toBe(1), 5_000);
    await vi.waitFor(async () => expect(await dead()).toEqual(["poison"]), 5_000);
    expect(received("good")).toHaveLength(1);
    expect(received("poison")).toHaveLength(2);
  });

  it.each(["throw", "unknown id"])("delivers the whole batch again after %j", async (body) => {
    await send(body);
    await vi.waitFor(async () => expect(await stack.faults.redeliver("Queue")).toBe(1), 5_000);
    await vi.waitFor(() => expect(received(body)).toHaveLength(2), 5_000);
  });

  it("can be sent to by a function", async () => {
    expect((await doing("send")).status).toBe(200);
    await vi.waitFor(() => expect(received("from a function")).toHaveLength(1), 5_000);
  });

  it("gives the messages of a FIFO group in their order, one batch at a time", async () => {
    const line = (MessageBody: string, MessageGroupId: string) => ({ MessageBody, MessageGroupId });
    await sendTo("Line", line("a1", "a"), line("a2", "a"), line("b1", "b"), line("a1", "a"));
    await vi.waitFor(() => expect(received("a2")).toHaveLength(1), 5_000);
    await vi.waitFor(() => expect(received("b1")).toHaveLength(1), 5_000);
    const bodies = events().flatMap(({ Records }) => Records.map(({ body }) => body));
    expect(bodies.filter((body) => body.startsWith("a"))).toEqual(["a1", "a2"]); // The second a1 is a duplicate.
    expect(received("a2")[0]?.attributes).toMatchObject({
      MessageGroupId: "a",
      MessageDeduplicationId: expect.stringMatching(/^[0-9a-f]{64}$/),
      SequenceNumber: expect.stringMatching(/^\d{20}$/),
    });
  });

  it("waits for more messages while its batching window is open", async () => {
    await sendTo("Bulk", { MessageBody: "bulk 1" });
    await pause(300);
    await sendTo("Bulk", ...Array.from({ length: 10 }, (_, at) => ({ MessageBody: `bulk ${at + 2}` })));
    await vi.waitFor(() => expect(received("bulk 11")).toHaveLength(1), 5_000);
    const batch = events().find(({ Records }) => Records.some(({ body }) => body === "bulk 1"));
    expect(batch?.Records).toHaveLength(11);
  });

  it("takes null for success", async () => {
    await send("null");
    await vi.waitFor(() => expect(received("null")).toHaveLength(1), 5_000);
    await pause(100);
    expect(await stack.faults.redeliver("Queue")).toBe(0);
  });
});

describe("faults", patient, () => {
  const item = async (id: number) => {
    const { Item } = await stack.clients.dynamodb.send(
      new GetItemCommand({ TableName: stack.tableName("TableName"), Key: { id: { S: String(id) } } }),
    );
    return Item;
  };

  it("carries a request out and drops the answer", async () => {
    stack.faults.dropResponse("PutItem");
    expect((await doing("put", 1)).status).toBe(502);
    expect(await item(1)).toBeDefined();
    expect((await doing("put", 2)).status).toBe(200);
  });

  it("throttles a request, which then does nothing", async () => {
    stack.faults.throttle("PutItem");
    expect((await doing("put", 3)).status).toBe(502);
    expect(await item(3)).toBeUndefined();
    expect(stack.invocations.at(-1)?.error).toMatchObject({ errorType: "ThrottlingException" });
  });

  it("holds a request back until the function is killed, and tells which invocation sent it", async () => {
    const { reached, release } = stack.faults.hold("PutItem", "response");
    const response = doing("put", 4);
    await reached;
    expect(stack.faults.kill("Worker")).toBe(1);
    release();
    expect((await response).status).toBe(502);
    expect(await item(4)).toBeDefined();
    const killed = stack.invocations.at(-1);
    expect(killed?.outcome).toBe("killed");
    const [sent] = stack.dynamodbCalls.filter(({ requestId }) => requestId === killed?.requestId);
    expect(sent).toMatchObject({ operation: "PutItem", status: 200 });
  });

  it("lets a request fall that it held back", async () => {
    const { reached, drop } = stack.faults.hold("PutItem");
    const response = doing("put", 5);
    await reached;
    drop();
    expect((await response).status).toBe(502);
    expect(await item(5)).toBeUndefined();
  });

  it("knows its functions by name and says which there are", () => {
    expect(() => stack.faults.kill("Nobody")).toThrow(
      '"Nobody" is not the name of one function; there are: Worker, BrokenFunction, GuardFunction, Consumer',
    );
  });
});
