import { hash } from "node:crypto";
import { checkNames } from "../core/check.ts";
import { kindOf } from "../core/plain.ts";
import { checkText, refuse } from "./options.ts";
import type { OutboxEvent } from "./outbox.ts";
import type { SendEvents } from "./publish.ts";

/** A client of the AWS SDK v3, of any version and any copy. */
interface Client {
  // biome-ignore lint/suspicious/noExplicitAny: each copy of the SDK has command types of its own, none assignable to another's.
  send(command: any): Promise<any>;
}

interface BusEntry {
  Source: string;
  DetailType: string;
  Detail: string;
  Time: Date;
  EventBusName?: string;
}

export interface EventBridgeOptions {
  /** An `EventBridgeClient`. */
  readonly client: Client;
  /** `PutEventsCommand` of `@aws-sdk/client-eventbridge`. */
  readonly command: new (input: {
    Entries: BusEntry[];
  }) => object;
  /** Who tells: the events' `source`. */
  readonly source: string;
  /** The bus's name or ARN; without it the account's default bus. */
  readonly bus?: string | undefined;
}

/**
 * Sends events to an EventBridge bus: `detail-type` is the event's type, `detail` the whole event,
 * `{ id, type, time, data }`. EventBridge gives each sending an id of its own; receivers tell repetitions by `detail.id`.
 *
 * @throws IdempotencyConfigError for an option that does not exist or cannot be used
 * @example
 * const send = toEventBridge({ client: new EventBridgeClient(), command: PutEventsCommand, source: "orders" });
 */
export function toEventBridge(options: EventBridgeOptions): SendEvents {
  const BY = "toEventBridge()";
  checkNames(BY, options, ["client", "command", "source", "bus"]);
  const { client, command: Command, source, bus } = options;
  checkSdk(BY, client, Command, "PutEventsCommand");
  checkText(BY, "source", source, "the name of who sends");
  if (bus !== undefined) checkText(BY, "bus", bus, "a bus's name or its ARN");
  return async (events) => {
    const Entries = events.map((event) => ({
      Source: source,
      DetailType: event.type,
      Detail: JSON.stringify(event),
      Time: new Date(event.time),
      ...(bus !== undefined && { EventBusName: bus }),
    }));
    const answer: { Entries?: readonly { ErrorCode?: string }[] } = await client.send(new Command({ Entries }));
    return events.filter((_, at) => answer.Entries?.[at]?.ErrorCode !== undefined).map(({ id }) => id);
  };
}

interface QueueEntry {
  Id: string;
  MessageBody: string;
  MessageAttributes: Record<string, { DataType: string; StringValue: string }>;
  MessageGroupId?: string;
  MessageDeduplicationId?: string;
}

export interface SqsOptions {
  /** An `SQSClient`. */
  readonly client: Client;
  /** `SendMessageBatchCommand` of `@aws-sdk/client-sqs`. */
  readonly command: new (input: {
    QueueUrl: string;
    Entries: QueueEntry[];
  }) => object;
  readonly queueUrl: string;
  /** Of a FIFO queue: the group that an event belongs to. The event's id tells SQS what comes again within five minutes. */
  readonly group?: ((event: OutboxEvent) => string) | undefined;
}

/**
 * Sends events to an SQS queue: the body is the whole event, `{ id, type, time, data }`, the type also a message
 * attribute, by which a subscription can be filtered.
 *
 * @throws IdempotencyConfigError for an option that does not exist or cannot be used
 * @example
 * const send = toSqs({ client: new SQSClient(), command: SendMessageBatchCommand, queueUrl: "https://sqs..." });
 */
export function toSqs(options: SqsOptions): SendEvents {
  const BY = "toSqs()";
  checkNames(BY, options, ["client", "command", "queueUrl", "group"]);
  const { client, command: Command, queueUrl, group } = options;
  checkSdk(BY, client, Command, "SendMessageBatchCommand");
  checkText(BY, "queueUrl", queueUrl, "a queue's URL");
  if (group !== undefined && typeof group !== "function") {
    refuse(BY, "group", kindOf(group), "a function that returns an event's message group");
  }
  /** Those of `events` that were not taken, in one request. */
  async function sent(events: readonly OutboxEvent[], groups?: readonly string[]): Promise<readonly OutboxEvent[]> {
    const Entries = events.map((event, at) => ({
      Id: String(at),
      MessageBody: JSON.stringify(event),
      MessageAttributes: { type: { DataType: "String", StringValue: event.type } },
      ...(groups !== undefined && {
        MessageGroupId: groups[at] as string,
        MessageDeduplicationId: deduplicationId(event.id),
      }),
    }));
    const answer: { Failed?: readonly { Id?: string }[] } = await client.send(
      new Command({ QueueUrl: queueUrl, Entries }),
    );
    const failed = new Set(answer.Failed?.map(({ Id }) => Number(Id)));
    return events.filter((_, at) => failed.has(at));
  }
  return async (events) => {
    if (group === undefined) return (await sent(events)).map(({ id }) => id);
    // SQS may take the second message of a group and not the first: each request has one of a group, and none after one that failed.
    const untaken: OutboxEvent[] = [];
    let left = events.map((event) => ({ event, of: group(event) }));
    while (left.length > 0) {
      const groups = new Set<string>();
      const next = left.filter(({ of }) => !groups.has(of) && groups.add(of));
      const failed = await sent(
        next.map(({ event }) => event),
        next.map(({ of }) => of),
      );
      const stopped = new Set(next.filter(({ event }) => failed.includes(event)).map(({ of }) => of));
      untaken.push(...left.filter(({ of }) => stopped.has(of)).map(({ event }) => event));
      left = left.filter((one) => !next.includes(one) && !stopped.has(one.of));
    }
    return untaken.map(({ id }) => id);
  };
}

/** SQS takes 128 characters of ASCII without spaces. */
const deduplicationId = (id: string): string => (/^[!-~]{1,128}$/.test(id) ? id : hash("sha256", id, "hex"));

function checkSdk(by: string, client: unknown, command: unknown, name: string): void {
  if (typeof (client as Partial<Client> | null)?.send !== "function") {
    refuse(by, "client", kindOf(client), "a client of the AWS SDK v3");
  }
  if (typeof command !== "function")
    refuse(by, "command", kindOf(command), `the class ${name} of the client's package`);
}
