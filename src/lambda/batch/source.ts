import { show } from "../../core/duration.ts";
import { IdempotencyConfigError } from "../../core/errors.ts";
import type { Binding } from "../binding.ts";

/** What of a message from SQS is read; `SQSRecord` of `@types/aws-lambda` fits. */
export interface SqsRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string; readonly MessageGroupId?: string | undefined };
  readonly eventSource: string;
  readonly eventSourceARN: string;
}

/** What of a record from Kinesis is read; `KinesisStreamRecord` of `@types/aws-lambda` fits. */
export interface KinesisRecord {
  readonly eventID: string;
  readonly eventSource: string;
  readonly eventSourceARN: string;
  readonly kinesis: { readonly sequenceNumber: string; readonly partitionKey: string; readonly data: string };
}

/** What of a record from a DynamoDB stream is read; `DynamoDBRecord` of `@types/aws-lambda` fits. */
export interface DynamoDBStreamRecord {
  readonly eventID?: string | undefined;
  readonly eventSource?: string | undefined;
  readonly dynamodb?: { readonly SequenceNumber?: string | undefined } | undefined;
}

/** A record that `idempotentBatch()` can take. */
export type BatchRecord = SqsRecord | KinesisRecord | DynamoDBStreamRecord;

/** Where records come from: how one is named to its source, and which must wait for which. */
interface Source {
  /** What `itemIdentifier` names it by. */
  item(record: BatchRecord): string | undefined;
  /** Unique to the record over all its deliveries: the default key. */
  key(record: BatchRecord): unknown;
  /** Records of one lane are taken in order, and none after the first failure; `undefined`: on its own. */
  lane(record: BatchRecord): string | undefined;
  /** The event says that the record was delivered before. */
  retried(record: BatchRecord): boolean;
  /** The source keeps a place in a stream: everything from the lowest failure on comes again. */
  readonly checkpoints: boolean;
}

const sqs: Source = {
  item: (record) => (record as SqsRecord).messageId,
  key: (record) => (record as SqsRecord).messageId,
  // A standard queue may have message groups too (fair queues); only a FIFO queue promises an order.
  lane(record) {
    const { eventSourceARN, attributes } = record as SqsRecord;
    return eventSourceARN?.endsWith(".fifo") ? String(attributes?.MessageGroupId) : undefined;
  },
  retried: (record) => Number((record as SqsRecord).attributes?.ApproximateReceiveCount) > 1,
  checkpoints: false,
};

const SOURCES: Readonly<Record<string, Source>> = {
  "aws:sqs": sqs,
  "aws:kinesis": {
    item: (record) => (record as KinesisRecord).kinesis?.sequenceNumber,
    // Shards are numbered anew in every stream, and sequence numbers are a shard's own.
    key: ({ eventSourceARN, eventID }: KinesisRecord) => [eventSourceARN, eventID],
    // An event id is `<shard>:<sequence number>`.
    lane: (record) => String((record as KinesisRecord).eventID).split(":")[0],
    retried: () => false,
    checkpoints: true,
  } as Source,
  "aws:dynamodb": {
    item: (record) => (record as DynamoDBStreamRecord).dynamodb?.SequenceNumber,
    key: ({ eventID }: KinesisRecord | DynamoDBStreamRecord) => eventID,
    lane: () => "shard",
    retried: () => false,
    checkpoints: true,
  } as Source,
};

const sourceOf = (record: unknown): Source | undefined => {
  const name = (record as { eventSource?: unknown } | null | undefined)?.eventSource;
  return typeof name === "string" && Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined;
};

/** How a record gives its identity where the options leave it open. */
export const recordBinding: Binding<readonly [record: BatchRecord, ...rest: unknown[]], unknown> = {
  name: "batch",
  identify: (record) => ({ key: sourceOf(record)?.key(record), retried: sourceOf(record)?.retried(record) === true }),
  // A queue keeps a message for up to 14 days.
  expiresAfter: { days: 15 },
};

/** One record of a batch. */
export interface Place {
  readonly record: BatchRecord;
  readonly item: string;
  readonly lane: string | undefined;
}

/** A batch as its source delivers it. */
export interface Batch {
  readonly places: readonly Place[];
  /** Only the first failure of a lane is to be reported, and of those the lowest. */
  readonly checkpoints: boolean;
  readonly fromQueue: boolean;
}

/**
 * The records of an event, each with the name by which it is reported.
 *
 * @throws IdempotencyConfigError for an event of another source
 */
export function readBatch(event: unknown): Batch {
  const records = (event as { Records?: unknown } | null | undefined)?.Records;
  if (!Array.isArray(records)) throw foreign(`the event has no Records but ${show(records)}`);
  const source = sourceOf(records[0]);
  const places = records.map((record: unknown, index): Place => {
    const found = sourceOf(record);
    if (found === undefined) throw foreign(`record ${index} of the event is from ${originOf(record)}`);
    if (found !== source) throw foreign(`the event mixes sources: record ${index} is from ${originOf(record)}`);
    const item: unknown = found.item(record as BatchRecord);
    // An empty identifier would make Lambda take the whole batch for failed, or for done.
    if (typeof item !== "string" || item === "") throw foreign(`record ${index} of the event is named ${show(item)}`);
    return { record: record as BatchRecord, item, lane: found.lane(record as BatchRecord) };
  });
  return { places, checkpoints: source?.checkpoints === true, fromQueue: source === sqs };
}

function originOf(record: unknown): string {
  const { eventSource, EventSource } = Object(record) as { eventSource?: unknown; EventSource?: unknown };
  return show(eventSource ?? EventSource);
}

function foreign(what: string): IdempotencyConfigError {
  return new IdempotencyConfigError(
    `${what}; idempotentBatch() takes { Records } from 'aws:sqs', 'aws:kinesis' or 'aws:dynamodb'. For another source wrap the handler with idempotent()`,
  );
}

/** The lower of two sequence numbers, which are decimal numbers too long for a `number`. */
export const lower = (one: string, other: string): string =>
  one.length === other.length ? (one < other ? one : other) : one.length < other.length ? one : other;
