import { setTimeout as pause } from "node:timers/promises";
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSEvent, SQSRecord } from "aws-lambda";
import type { FauxqsServer } from "fauxqs";
import type { Answer } from "./functions.ts";
import type { MappingModel, QueueModel } from "./resources.ts";

/** A queue that feeds a function, at work. */
export interface Poller {
  readonly queueId: string;
  /** Gives back at once what the function has failed on, as when its visibility timeout had passed; how many. */
  redeliver(): Promise<number>;
  stop(): Promise<void>;
}

export interface PollerHost {
  readonly client: SQSClient;
  readonly region: string;
  readonly queue: QueueModel;
  readonly queueUrl: string;
  invoke(payload: string): Promise<Answer>;
}

/** Lambda begins with five pollers for a queue. */
const CONCURRENCY = 5;
/** Lambda gives a function six MB at most; what is left is for the event around the bodies. */
const BATCH_BYTES = 5_500_000;

/** Makes the template's queues; those that are dead letter queues of others first. */
export function createQueues(
  server: FauxqsServer,
  region: string,
  queues: readonly QueueModel[],
  visibility?: number,
): void {
  const isSource = ({ attributes }: QueueModel): number => (attributes["RedrivePolicy"] === undefined ? 0 : 1);
  for (const { name, attributes } of [...queues].sort((a, b) => isSource(a) - isSource(b))) {
    const timeout = Math.min(Number(attributes["VisibilityTimeout"] ?? 30), visibility ?? Number.POSITIVE_INFINITY);
    server.createQueue(name, { region, attributes: { ...attributes, VisibilityTimeout: String(timeout) } });
  }
}

/** Polls a queue for a function as an event source mapping does. */
export function startPoller(mapping: MappingModel, host: PollerHost): Poller {
  const { client, queueUrl: QueueUrl, queue } = host;
  const visibility = Number(queue.attributes["VisibilityTimeout"] ?? 30) * 1_000;
  const limit = Math.min(mapping.concurrency ?? CONCURRENCY, 1_000);
  const failed = new Set<string>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();

  const receive = async (count: number, wait: number): Promise<readonly Message[]> => {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: Math.min(count, 10),
        WaitTimeSeconds: wait,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      }),
      { abortSignal: stopping.signal },
    );
    return Messages;
  };

  /** What is there; with a window, more until the batch is full or the window is over. */
  const collect = async (): Promise<readonly Message[]> => {
    const batch = [...(await receive(mapping.batchSize, 20))];
    const end = performance.now() + mapping.window * 1_000;
    const bytes = (): number => batch.reduce((sum, { Body = "" }) => sum + Buffer.byteLength(Body), 0);
    while (batch.length > 0 && batch.length < mapping.batchSize && performance.now() < end && bytes() < BATCH_BYTES) {
      const more = await receive(mapping.batchSize - batch.length, 0);
      batch.push(...more);
      if (more.length === 0) await pause(50, undefined, { signal: stopping.signal });
    }
    return batch;
  };

  const work = async (batch: readonly Message[]): Promise<void> => {
    const records = batch.map((message) => recordOf(message, queue, host.region));
    const event: SQSEvent = { Records: records };
    const end = performance.now() + visibility;
    let answer = await host.invoke(JSON.stringify(event));
    while (answer.status === "throttled" && performance.now() < end && !stopping.signal.aborted) {
      await pause(200);
      answer = await host.invoke(JSON.stringify(event));
    }
    const returned = failuresIn(answer, records, mapping.partialResponses);
    const done = records.filter(({ messageId }) => !returned.has(messageId));
    for (const { messageId, receiptHandle } of records) if (returned.has(messageId)) failed.add(receiptHandle);
    for (let at = 0; at < done.length; at += 10) {
      const Entries = done
        .slice(at, at + 10)
        .map(({ receiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle: receiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    }
  };

  const poll = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (running.size >= limit) {
        await Promise.race(running);
        continue;
      }
      const batch = await collect();
      if (batch.length === 0) continue;
      const task = work(batch).finally(() => running.delete(task));
      task.catch(() => {}); // The queue is gone: we are stopping.
      running.add(task);
    }
  };
  const polling = poll().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });

  return {
    queueId: queue.id,
    async redeliver() {
      const handles = [...failed];
      failed.clear();
      let given = 0;
      for (let at = 0; at < handles.length; at += 10) {
        const Entries = handles
          .slice(at, at + 10)
          .map((ReceiptHandle, index) => ({ Id: `${index}`, ReceiptHandle, VisibilityTimeout: 0 }));
        // A handle whose timeout has passed by itself is refused, which is as good.
        const { Successful = [] } = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
        given += Successful.length;
      }
      return given;
    },
    async stop() {
      stopping.abort();
      await polling;
      await Promise.allSettled(running);
    },
  };
}

/** A message as a function gets it. */
function recordOf(message: Message, { arn }: QueueModel, region: string): SQSRecord {
  const { MessageId = "", ReceiptHandle = "", Body = "", MD5OfBody = "", MD5OfMessageAttributes } = message;
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => {
    const { StringValue, BinaryValue, DataType = "String" } = value;
    const given = {
      ...(StringValue === undefined ? {} : { stringValue: StringValue }),
      ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
    };
    return [name, { ...given, stringListValues: [], binaryListValues: [], dataType: DataType }];
  });
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: message.Attributes as unknown as SQSRecord["attributes"],
    messageAttributes: Object.fromEntries(attributes) as SQSRecord["messageAttributes"],
    ...(MD5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes: MD5OfMessageAttributes }),
    md5OfBody: MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: arn,
    awsRegion: region,
  };
}

/**
 * The ids of the messages that stay in the queue. An error or an answer that is not understood returns the whole
 * batch; nothing, `null` or an empty list returns none.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function failuresIn(answer: Answer, records: readonly SQSRecord[], partial: boolean): ReadonlySet<string> {
  const ids = new Set(records.map(({ messageId }) => messageId));
  if (answer.status !== "ok") return ids;
  if (!partial) return new Set();
  const given = JSON.parse(answer.payload) as unknown;
  if (given === null) return new Set();
  if (typeof given !== "object") return ids;
  const { batchItemFailures } = given as { batchItemFailures?: unknown };
  if (batchItemFailures === undefined || batchItemFailures === null) return new Set();
  if (!Array.isArray(batchItemFailures)) return ids;
  const named = batchItemFailures.map((item) => (item as { itemIdentifier?: string } | null)?.itemIdentifier ?? "");
  return named.every((id) => ids.has(id)) ? new Set(named) : ids;
}
