import { type BatchHandler, type BatchOptions, idempotentBatch, type SqsRecord } from "../../../src/batch.ts";
import type { IdempotencyEvent } from "../../../src/index.ts";
import type { LambdaContext } from "../../../src/lambda/context.ts";
import { lambdaContext, type TestContext, type TestingStore, testingStore } from "../../../src/testing.ts";

export type Context = LambdaContext;

/** What a message is made of where a test says nothing else. */
export interface MessageOptions {
  readonly body?: unknown;
  /** Makes it a message of a FIFO queue. */
  readonly group?: string;
  readonly received?: number;
}

/** A message of SQS. A body that is no string is sent as JSON. */
export function message(id: string, { body = { id }, group, received = 1 }: MessageOptions = {}): SqsRecord {
  return {
    messageId: id,
    receiptHandle: `receipt-${id}`,
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: { ApproximateReceiveCount: String(received), ...(group !== undefined && { MessageGroupId: group }) },
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:eu-central-1:123456789012:payments${group === undefined ? "" : ".fifo"}`,
  };
}

export const eventOf = <R>(...Records: R[]): { Records: R[] } => ({ Records });

/** The identifiers that a batch reports. */
export const failed = ({ batchItemFailures }: { batchItemFailures: { itemIdentifier: string }[] }): string[] =>
  batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

export interface Bench {
  readonly store: TestingStore;
  readonly events: IdempotencyEvent[];
  readonly ran: string[];
  /** Delivers these messages, and answers the reported identifiers. */
  deliver(...messages: SqsRecord[]): Promise<string[]>;
  readonly handler: BatchHandler<SqsRecord, Context>;
  context: TestContext | undefined;
}

/** A batch over a testing store; `fn` says what becomes of a message, and every run of it is noted. */
export function bench(
  fn: (message: SqsRecord, context: Context) => unknown = () => "done",
  more: Partial<BatchOptions<SqsRecord, Context>> = {},
): Bench {
  const store = testingStore();
  const events: IdempotencyEvent[] = [];
  const ran: string[] = [];
  const handler = idempotentBatch(
    (one: SqsRecord, context: Context) => {
      ran.push(one.messageId);
      return fn(one, context) as Promise<unknown>;
    },
    { store, operation: "pay", observe: (event) => void events.push(event), ...more },
  );
  const made: Bench = {
    store,
    events,
    ran,
    handler,
    context: lambdaContext(),
    deliver: async (...messages) => failed(await handler(eventOf(...messages), made.context as Context)),
  };
  return made;
}

/** A promise that is kept from outside. */
export function latch(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
