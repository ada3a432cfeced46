import { Duration, Names } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  type MetricOptions,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Grant, IGrantable } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { EventSourceMapping } from "aws-cdk-lib/aws-lambda";
import { Queue, QueueEncryption, type QueueProps } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { checkSeconds, checkWhole, refuse, secondsOf } from "./checks.ts";
import type { IdempotentFunction } from "./idempotent-function.ts";

export interface IdempotentQueueProps {
  /** Who reads the queue. It has to answer with `batchItemFailures`. */
  readonly consumer: IdempotentFunction;
  /** Whether messages keep their order within their group; the consumer then reports, after one that failed, all that follow it. Default: false. */
  readonly fifo?: boolean;
  /** A key of your own to encrypt the messages with. Default: the key that SQS manages. */
  readonly encryptionKey?: IKey;
  /** How long a received message is hidden from others. Default, and at least: six times the consumer's timeout, and `maxBatchingWindow`. */
  readonly visibilityTimeout?: Duration;
  /** How long a message waits to be read. 60 seconds to 14 days, in a standard queue less than `deadLetterRetention`. Default: 4 days. */
  readonly retention?: Duration;
  /** How long the dead-letter queue keeps a message. At most 14 days, in a standard queue longer than `retention`. Default: 14 days, 10 where FIFO. */
  readonly deadLetterRetention?: Duration;
  /** How often a message is received before it goes to the dead-letter queue. 1 to 1000. Default: 5. */
  readonly maxReceiveCount?: number;
  /** Messages per invocation at most. 1 to 10; up to 10000 in a standard queue with a `maxBatchingWindow`. Default: 10. */
  readonly batchSize?: number;
  /** How long a batch is collected, in a standard queue. 1 to 300 seconds. Default: it is not. */
  readonly maxBatchingWindow?: Duration;
  /** Invocations at the same time at most. 2 to 1000. Default: no limit but the account's. */
  readonly maxConcurrency?: number;
}

const DAY = 86_400;

/**
 * An SQS queue, its dead-letter queue and the function that reads it: encrypted, over TLS only, failed messages
 * reported one by one, and every time-out in the order that keeps a message from running twice.
 *
 * @throws Error where a message could come again after its record has expired, or while its function still runs
 *
 * @example
 * import { Duration } from "aws-cdk-lib";
 * import { IdempotencyTable, IdempotentFunction, IdempotentQueue } from "lambda-once/cdk";
 *
 * const table = new IdempotencyTable(stack, "Idempotency");
 * const expiresAfter = Duration.days(15); // as in the handler's options
 * const consumer = new IdempotentFunction(stack, "Consumer", { entry: "src/payments.ts", table, expiresAfter });
 * const payments = new IdempotentQueue(stack, "Payments", { consumer });
 */
export class IdempotentQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  /** From the queue to the consumer. */
  readonly mapping: EventSourceMapping;

  constructor(scope: Construct, id: string, props: IdempotentQueueProps) {
    super(scope, id);
    const { consumer, fifo = false, maxReceiveCount = 5, batchSize = 10, maxBatchingWindow, maxConcurrency } = props;
    const { retention = Duration.days(4), deadLetterRetention = Duration.days(fifo ? 10 : 14) } = props;
    checkSeconds(this, "retention", retention, [60, 14 * DAY]);
    checkSeconds(this, "deadLetterRetention", deadLetterRetention, [60, 14 * DAY]);
    checkWhole(this, "maxReceiveCount", maxReceiveCount, [1, 1_000]);
    checkWhole(this, "maxConcurrency", maxConcurrency, [2, 1_000]);
    checkBatch(this, props);
    checkRetention(this, { consumer, fifo, retention, deadLetterRetention });
    const visibilityTimeout = visibilityFor(this, props);

    const common = {
      enforceSSL: true,
      ...(fifo && { fifo }),
      ...(props.encryptionKey === undefined
        ? { encryption: QueueEncryption.SQS_MANAGED }
        : { encryption: QueueEncryption.KMS, encryptionMasterKey: props.encryptionKey }),
    } satisfies QueueProps;
    this.deadLetterQueue = new Queue(this, "DeadLetters", { ...common, retentionPeriod: deadLetterRetention });
    this.queue = new Queue(this, "Queue", {
      ...common,
      retentionPeriod: retention,
      visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount },
    });

    const consuming = this.queue.grantConsumeMessages(consumer);
    // Beside the consumer, whose permission it needs: the queue may be of another stack.
    this.mapping = consumer.addEventSourceMapping(`${Names.nodeUniqueId(this.node)}Mapping`, {
      eventSourceArn: this.queue.queueArn,
      batchSize,
      reportBatchItemFailures: true,
      ...(maxBatchingWindow !== undefined && { maxBatchingWindow }),
      ...(maxConcurrency !== undefined && { maxConcurrency }),
    });
    consuming.applyBefore(this.mapping); // Lambda refuses a mapping to a queue that its function may not read.
  }

  /** Lets the grantee send messages. */
  grantSend(grantee: IGrantable): Grant {
    return this.queue.grantSendMessages(grantee);
  }

  /** Messages that wait in the dead-letter queue: the greatest number within 5 minutes by default. */
  metricDeadLetters(props?: MetricOptions): IMetric {
    return this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: "Maximum", ...props });
  }

  /** The age in seconds of the oldest message that is not yet done. */
  metricOldestMessage(props?: MetricOptions): IMetric {
    return this.queue.metricApproximateAgeOfOldestMessage({ statistic: "Maximum", ...props });
  }

  /** An alarm that sounds while any message is in the dead-letter queue. */
  addDeadLetterAlarm(action?: IAlarmAction): Alarm {
    const alarm = new Alarm(this, "DeadLettersAlarm", {
      metric: this.metricDeadLetters(),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (action !== undefined) alarm.addAlarmAction(action);
    return alarm;
  }
}

function checkBatch(queue: IdempotentQueue, { fifo, batchSize, maxBatchingWindow }: IdempotentQueueProps): void {
  if (fifo && maxBatchingWindow !== undefined) {
    refuse(queue, `maxBatchingWindow is ${secondsOf(maxBatchingWindow)} s on a FIFO queue; allowed is none`);
  }
  checkSeconds(queue, "maxBatchingWindow", maxBatchingWindow, [1, 300]);
  checkWhole(queue, "batchSize", batchSize, [1, maxBatchingWindow === undefined ? 10 : 10_000]);
}

/**
 * A message can be delivered until the dead-letter queue gives it up: its record has to know it that long. Its age goes with
 * it into the dead-letter queue, but of a FIFO queue, where it begins anew:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
 */
function checkRetention(
  queue: IdempotentQueue,
  times: {
    readonly consumer: IdempotentFunction;
    readonly fifo: boolean;
    readonly retention: Duration;
    readonly deadLetterRetention: Duration;
  },
): void {
  const retention = secondsOf(times.retention);
  const deadLetters = secondsOf(times.deadLetterRetention);
  if (retention === undefined || deadLetters === undefined) return;
  if (deadLetters <= retention && !times.fifo) {
    refuse(
      queue,
      `deadLetterRetention is ${deadLetters} s under a retention of ${retention} s; allowed is more than the retention, ` +
        "since a message's age goes with it into the dead-letter queue",
    );
  }
  const records = secondsOf(times.consumer.expiresAfter);
  const [most, why] = times.fifo
    ? ([retention + deadLetters, "retention and deadLetterRetention"] as const)
    : ([deadLetters, "deadLetterRetention"] as const);
  if (records === undefined || records > most) return;
  const days = Math.floor(most / DAY) + 1;
  refuse(
    queue,
    `expiresAfter of the consumer is ${records} s, and a message can come again for ${most} s (${why}); allowed is ` +
      `more than that, such as { days: ${days} }, in the handler's options and here`,
  );
}

/** AWS's own rule: six times the timeout leaves room for retries of a throttled function. */
function visibilityFor(queue: IdempotentQueue, props: IdempotentQueueProps): Duration {
  const timeout = secondsOf(props.consumer.timeout);
  const given = secondsOf(props.visibilityTimeout);
  const least = 6 * (timeout ?? 0) + (secondsOf(props.maxBatchingWindow) ?? 0);
  if (timeout === undefined && props.visibilityTimeout === undefined) {
    refuse(
      queue,
      "visibilityTimeout is not given for a timeout that is known only at deployment; allowed is six times that",
    );
  }
  checkSeconds(queue, "visibilityTimeout", props.visibilityTimeout, [0, 43_200]);
  if (given !== undefined && given < least) {
    refuse(
      queue,
      `visibilityTimeout is ${given} s; allowed is at least ${least} s: six times the consumer's timeout of ${timeout} s, ` +
        "and the maxBatchingWindow",
    );
  }
  return props.visibilityTimeout ?? Duration.seconds(least);
}
