import { refuseValue } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { handleBatch } from "./batch/handle.ts";
import { readBatch, recordBinding, type SqsRecord } from "./batch/source.ts";
import type { ChangeVisibility } from "./batch/visibility.ts";
import type { LambdaContext } from "./context.ts";
import { compileOperation, contextOf } from "./operation.ts";
import type { Options } from "./options.ts";

/** What a batch can be told: the options of an operation, each for one record, and these. */
export interface BatchOptions<Record, Context>
  extends Omit<Options<readonly [record: Record, context: Context], unknown>, "binding"> {
  /** How many records are at work at once. Records of one FIFO group, or of one shard, never are. Default: 10. */
  readonly concurrency?: number;
  /**
   * Hides a message that is in progress elsewhere until its lock ends, so that it does not come back, and count as
   * received, before it can be answered: `visibilityBy(new SQS())`, or a function. Default: the queue's own time-out.
   */
  readonly changeVisibility?: ChangeVisibility;
}

/** What Lambda takes where `ReportBatchItemFailures` is set on the event source. */
export interface BatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

/** A handler of SQS, Kinesis or DynamoDB stream events. */
export type BatchHandler<Record, Context> = (event: { Records: Record[] }, context: Context) => Promise<BatchResponse>;

/**
 * Makes a handler for batches of a function for one record: each record is an operation of its own, which runs once
 * whatever is delivered again, and only those that are not done are reported back. The event source needs
 * `ReportBatchItemFailures`: without it Lambda takes every batch for done.
 *
 * A record is acknowledged when the function returned or has done so before; everything else is reported, and the
 * observer is told why (`reported`), since no error leaves the batch. The default key is the message id, or a stream
 * record's event id (with the stream's ARN for Kinesis); outcomes answer for 15 days. FIFO groups are taken in order
 * and stop at their first failure, as shards do. No record is begun that the time left would not cover, by the longest
 * one so far, and the answer goes out before the Lambda ends: a record whose function still runs by then is reported,
 * and its key stays locked.
 *
 * @throws IdempotencyConfigError at once for options that are wrong; at the call for an event of another source, or
 * where no record's key can be read for such a reason. Nothing has run then.
 *
 * @example
 * export const handler = idempotentBatch(
 *   async ({ body }) => {
 *     const { paymentId, amount } = JSON.parse(body);
 *     await chargeCard({ orderId: paymentId, amount });
 *   },
 *   { store: dynamoDBStore(), operation: "record-payment", key: "json(body).paymentId", fingerprint: "json(body)" },
 * );
 */
export function idempotentBatch<Record = SqsRecord, Context extends LambdaContext = LambdaContext>(
  recordHandler: (record: Record, context: Context) => Promise<unknown>,
  options: BatchOptions<NoInfer<Record>, NoInfer<Context>>,
): BatchHandler<Record, Context> {
  if (typeof recordHandler !== "function") refuseValue("the record's handler", recordHandler, "is a function");
  if (typeof options !== "object" || options === null) {
    throw new IdempotencyConfigError(`the options are ${show(options)}; allowed is an object with a store`);
  }
  for (const name of Object.keys(options)) refuseUnknown(name);
  const { concurrency = 10, changeVisibility, ...each } = options;
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    refuseValue("concurrency", concurrency, "is a whole number from 1");
  }
  if (changeVisibility !== undefined && typeof changeVisibility !== "function") {
    refuseValue("changeVisibility", changeVisibility, "is a function, such as visibilityBy(new SQS())");
  }

  const operation = compileOperation({ ...each, binding: recordBinding as never });

  return async function idempotentBatchHandler(event, context) {
    const batch = readBatch(event);
    return handleBatch({
      batch,
      operation,
      concurrency,
      changeVisibility: batch.fromQueue ? changeVisibility : undefined,
      args: (record) => [record, context],
      context: contextOf([event, context]),
      run: (record) => recordHandler(record as Record, context),
    });
  };
}

/** The compiler keeps these in step with the options. */
const KNOWN: Readonly<{ [Name in keyof BatchOptions<never, never>]-?: true }> = {
  cache: true,
  changeVisibility: true,
  claimAt: true,
  codec: true,
  concurrency: true,
  deadlineMargin: true,
  expiresAfter: true,
  fingerprint: true,
  key: true,
  lockFor: true,
  lockMargin: true,
  lookup: true,
  observe: true,
  operation: true,
  principal: true,
  remember: true,
  secret: true,
  store: true,
  whenAbandoned: true,
  whenCompleted: true,
  whenInProgress: true,
  whenKeyMissing: true,
};

function refuseUnknown(name: string): void {
  if (Object.hasOwn(KNOWN, name)) return;
  const mend =
    name === "binding" ? "give key, principal and fingerprint" : `allowed are ${Object.keys(KNOWN).join(", ")}`;
  throw new IdempotencyConfigError(`there is no option '${name.slice(0, 60)}' for a batch; ${mend}`);
}
