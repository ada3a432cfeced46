/** Batches of SQS messages and stream records, each record an operation of its own. */

export type { BatchRecord, DynamoDBStreamRecord, KinesisRecord, SqsRecord } from "./lambda/batch/source.ts";
export { type ChangeVisibility, type SqsClient, visibilityBy } from "./lambda/batch/visibility.ts";
export { type BatchHandler, type BatchOptions, type BatchResponse, idempotentBatch } from "./lambda/batch.ts";
