import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { startFauxqs } from "fauxqs";
import { type OutboxEvent, publishOutbox, toEventBridge, toSqs } from "lambda-once/writes";
import { afterAll, describe, expect, it } from "vitest";

const fauxqs = await startFauxqs({ port: 0, logger: false });
const config = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
const sqs = new SQSClient({ ...config, endpoint: fauxqs.address });
afterAll(() => fauxqs.stop());

const events: OutboxEvent[] = [
  { id: "o-1#paid", type: "OrderPaid", time: 1_700_000_000_000, data: { amount: 5 } },
  { id: "an id with spaces, é", type: "OrderPaid", time: 1_700_000_000_001 },
];

async function queue(QueueName: string, Attributes?: Record<string, string>): Promise<string> {
  await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  return QueueUrl as string;
}
async function received(QueueUrl: string) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
    }),
  );
  return Messages;
}

describe("toSqs()", () => {
  it("sends whole events, with their type to filter by", async () => {
    const queueUrl = await queue("standard");
    const send = toSqs({ client: sqs, command: SendMessageBatchCommand, queueUrl });
    expect(await send(events)).toStrictEqual([]);
    const messages = await received(queueUrl);
    expect(messages.map(({ Body }) => JSON.parse(Body ?? "")).sort((a, b) => a.time - b.time)).toStrictEqual(events);
    expect(messages[0]?.MessageAttributes?.["type"]?.StringValue).toBe("OrderPaid");
  });

  it("to a FIFO queue is one message for each event, however often it is sent", async () => {
    const queueUrl = await queue("first.fifo", { FifoQueue: "true" });
    const send = toSqs({ client: sqs, command: SendMessageBatchCommand, queueUrl, group: ({ id }) => id.slice(0, 3) });
    await send(events);
    await send(events);
    const ids = (await received(queueUrl)).map(({ Body }) => JSON.parse(Body ?? "").id);
    expect(ids.sort()).toStrictEqual(events.map(({ id }) => id).sort());
  });

  it("names the events that the queue did not take", async () => {
    const client = { send: async () => ({ Failed: [{ Id: "1" }] }) };
    const send = toSqs({ client, command: SendMessageBatchCommand, queueUrl: "q" });
    expect(await send(events)).toStrictEqual(["an id with spaces, é"]);
  });
});

describe("toEventBridge()", () => {
  it("sends what PutEvents takes, and names the events that were not taken", async () => {
    const bodies: { Entries: Record<string, unknown>[] }[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
        const answer = { FailedEntryCount: 1, Entries: [{ ErrorCode: "ThrottlingException" }, { EventId: "1" }] };
        response.setHeader("content-type", "application/x-amz-json-1.1").end(JSON.stringify(answer));
      });
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new EventBridgeClient({ ...config, endpoint });
    const send = toEventBridge({ client, command: PutEventsCommand, source: "orders", bus: "shop" });
    expect(await send(events)).toStrictEqual(["o-1#paid"]);
    client.destroy();
    server.close();
    expect(bodies).toStrictEqual([
      {
        Entries: events.map((event) => ({
          Source: "orders",
          DetailType: "OrderPaid",
          Detail: JSON.stringify(event),
          Time: event.time / 1000,
          EventBusName: "shop",
        })),
      },
    ]);
  });
});

describe("a sender", () => {
  it.each([
    [() => toSqs({ client: sqs, command: SendMessageBatchCommand } as never), "toSqs(): queueUrl is undefined"],
    [
      () => toSqs({ client: {}, command: SendMessageBatchCommand, queueUrl: "q" } as never),
      "toSqs(): client is an object",
    ],
    [
      () => toSqs({ client: sqs, command: {}, queueUrl: "q" } as never),
      "command is an object; allowed is the class SendMessageBatchCommand",
    ],
    [
      () => toSqs({ client: sqs, command: SendMessageBatchCommand, queueUrl: "q", group: "g" } as never),
      "group is a string",
    ],
    [() => toEventBridge({ client: sqs, command: PutEventsCommand, source: "" }), "toEventBridge(): source is ''"],
    [() => toEventBridge({ client: sqs, command: PutEventsCommand, source: "s", bus: "" }), "bus is ''"],
    [
      () => toEventBridge({ client: sqs, command: PutEventsCommand, source: "s", busName: "b" } as never),
      "has no option 'busName'",
    ],
  ])("refuses options that cannot be", (make, message) => {
    expect(make).toThrow(message);
  });
});

// Seen by a reviewer: where SQS did not take the first of a group, the queue held 2, 3, 1.
it("keeps a group's order where one event was not taken, and sends other groups", async () => {
  const requests: string[][] = [];
  const queue: string[] = [];
  let isFirst = true;
  const client = {
    async send({ input }: { input: { Entries: { Id: string; MessageBody: string }[] } }) {
      const ids = input.Entries.map(({ MessageBody }) => (JSON.parse(MessageBody) as OutboxEvent).id);
      requests.push(ids);
      const Failed = isFirst ? [{ Id: "0" }] : [];
      isFirst = false;
      for (const [at, id] of ids.entries()) {
        if (!Failed.some(({ Id }) => Id === String(at)) && !queue.includes(id)) queue.push(id);
      }
      return { Failed };
    },
  };
  class Command {
    readonly input: unknown;
    constructor(input: unknown) {
      this.input = input;
    }
  }
  const send = toSqs({ client, command: Command as never, queueUrl: "q", group: ({ id }) => id.slice(0, 1) });
  const publish = publishOutbox({ send });
  const all = ["a1", "a2", "b1", "a3", "b2"];
  const Records = all.map((id, at) => ({
    eventName: "INSERT",
    dynamodb: {
      SequenceNumber: String(at),
      Keys: { id: { S: `lambda-once:event#${id}` } },
      NewImage: { outbox: { S: JSON.stringify({ id, type: "T", time: 1 }) } },
    },
  }));
  expect(await publish({ Records })).toStrictEqual({ batchItemFailures: [{ itemIdentifier: "0" }] });
  expect(requests).toStrictEqual([["a1", "b1"], ["b2"]]);
  expect(await publish({ Records })).toStrictEqual({ batchItemFailures: [] });
  expect(queue).toStrictEqual(["b1", "b2", "a1", "a2", "a3"]);
});

// Seen by a reviewer: an empty request was sent, which SQS refuses, and the stream stood still.
it("asks for the group of an event once, also where it is another one each time", async () => {
  const sizes: number[] = [];
  const client = {
    async send({ input }: { input: { Entries: unknown[] } }) {
      sizes.push(input.Entries.length);
      return {};
    },
  };
  class Command {
    readonly input: unknown;
    constructor(input: unknown) {
      this.input = input;
    }
  }
  let asked = 0;
  const send = toSqs({ client, command: Command as never, queueUrl: "q", group: () => `g-${asked++}` });
  expect(await send(events)).toStrictEqual([]);
  expect([asked, sizes]).toStrictEqual([2, [2]]);
});
