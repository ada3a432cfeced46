import type { Runtime } from "../../core/engine.ts";
import { IdempotencyConfigError } from "../../core/errors.ts";
import { kindOf } from "../../core/plain.ts";
import type { SqsRecord } from "./source.ts";

/** Hides a message from other receivers for so many whole seconds from now. */
export type ChangeVisibility = (message: SqsRecord, seconds: number) => Promise<unknown>;

/** What of an SQS client is used; `SQS` of `@aws-sdk/client-sqs` fits. */
export interface SqsClient {
  getQueueUrl(input: { QueueName: string; QueueOwnerAWSAccountId: string }): Promise<{ QueueUrl?: string | undefined }>;
  changeMessageVisibility(input: {
    QueueUrl: string;
    ReceiptHandle: string;
    VisibilityTimeout: number;
  }): Promise<unknown>;
}

/** SQS takes 12 hours at most. */
const LONGEST = 43_200;

/** How long SQS may take to answer, in milliseconds: a batch must not wait for a courtesy. */
const PATIENCE = 3_000;

/** The whole seconds for which a message is hidden whose key is locked for so many milliseconds. */
export const secondsUntil = (millis: number): number => Math.min(LONGEST, Math.max(1, Math.ceil(millis / 1000)));

/**
 * The option `changeVisibility` by an SQS client. Asks for a queue's URL once; needs `sqs:GetQueueUrl` and
 * `sqs:ChangeMessageVisibility`, which the CDK's `SqsEventSource` grants.
 *
 * @throws IdempotencyConfigError for what is no such client
 * @example
 * const handler = idempotentBatch(recordPayment, {
 *   store,
 *   operation: "record-payment",
 *   changeVisibility: visibilityBy(new SQS()),
 * });
 */
export function visibilityBy(client: SqsClient): ChangeVisibility {
  const lacked = (["getQueueUrl", "changeMessageVisibility"] as const).find(
    (method) => typeof Object(client)[method] !== "function",
  );
  if (lacked !== undefined) {
    throw new IdempotencyConfigError(
      `visibilityBy(): client is ${kindOf(client)} without ${lacked}(); allowed is new SQS()`,
    );
  }
  const urls = new Map<string, string>();
  return async ({ eventSourceARN, receiptHandle }, seconds) => {
    let url = urls.get(eventSourceARN);
    if (url === undefined) {
      // arn:aws:sqs:<region>:<account>:<name>
      const [, , , , account = "", name = ""] = eventSourceARN.split(":");
      const { QueueUrl } = await client.getQueueUrl({ QueueName: name, QueueOwnerAWSAccountId: account });
      if (QueueUrl === undefined) throw new Error(`SQS gives no URL for the queue ${name}`);
      url = QueueUrl;
      urls.set(eventSourceARN, url);
    }
    return client.changeMessageVisibility({
      QueueUrl: url,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    });
  };
}

/** Changes the visibility within the milliseconds that are left for it, and gives up once it takes too long. */
export function hide(runtime: Runtime, left: number, change: () => Promise<unknown>): Promise<void> {
  const patience = Math.min(PATIENCE, left);
  return new Promise((resolve, reject) => {
    if (patience <= 0) return reject(new Error("there is no time left to ask SQS"));
    const cancel = runtime.alarm(patience, () => reject(new Error(`no answer within ${patience} ms`)));
    const answered = async (): Promise<unknown> => change();
    answered()
      .then(() => resolve(), reject)
      .finally(cancel);
  });
}
