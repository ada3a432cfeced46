import type { Context, DynamoDBStreamHandler, KinesisStreamHandler, SQSHandler, SQSRecord } from "aws-lambda";
import { describe, expect, expectTypeOf, it } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";
import { idempotentBatch } from "../../../src/batch.ts";
import { currentClaim, idempotent } from "../../../src/index.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { MIDDIES } from "../middies.ts";
import { eventOf, failed, message } from "./kit.ts";

const context = lambdaContext();

describe.each(MIDDIES)("idempotentBatch() as the handler of %s", (_, middy) => {
  it("goes through its hooks, which see the answer", async () => {
    const store = testingStore();
    const ran: string[] = [];
    const seen: unknown[] = [];
    const handler = middy(
      idempotentBatch(
        async ({ messageId }) => {
          ran.push(messageId);
          if (messageId === "m-2") throw new Error("no");
          return currentClaim().attempt;
        },
        { store, operation: "pay" },
      ),
    )
      .before(({ event }) => void seen.push(event))
      .after(({ response }) => void seen.push(response));
    const event = eventOf(message("m-1"), message("m-2"));
    const answer = { batchItemFailures: [{ itemIdentifier: "m-2" }] };
    expect(await handler(event as never, context)).toStrictEqual(answer);
    expect(await handler(event as never, context)).toStrictEqual(answer);
    expect(ran).toStrictEqual(["m-1", "m-2", "m-2"]);
    expect(seen).toStrictEqual([event, answer, event, answer]);
  });
});

/**
 * The contract of `processPartialResponse(event, recordHandler, new BatchProcessor(EventType.SQS), { context })` of
 * `@aws-lambda-powertools/batch`: the record's handler gets the record and the context, all records are at work at once,
 * those whose handler throws are reported, and an error is thrown where all have failed.
 */
async function processPartialResponse(
  event: { Records: SQSRecord[] },
  recordHandler: (record: SQSRecord, context: Context) => Promise<unknown>,
  options: { context: Context },
): Promise<{ batchItemFailures: { itemIdentifier: string }[] }> {
  const answers = await Promise.allSettled(event.Records.map((record) => recordHandler(record, options.context)));
  const reported = event.Records.filter((_, at) => answers[at]?.status === "rejected");
  if (reported.length === event.Records.length) throw new Error("All records failed processing.");
  return { batchItemFailures: reported.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

describe("beside the batch processor of Powertools, idempotent() around the record's handler", () => {
  function bench(fn: (record: SQSRecord) => unknown = () => "done") {
    const ran: string[] = [];
    const recordHandler = idempotent(
      async (record: SQSRecord, _context: Context) => {
        ran.push(record.messageId);
        return fn(record);
      },
      { store: testingStore(), operation: "pay", key: "messageId", expiresAfter: { days: 15 } },
    );
    const deliver = async (...ids: string[]) => {
      const records = ids.map((id) => message(id)) as unknown as SQSRecord[];
      return failed(await processPartialResponse(eventOf(...records), recordHandler, { context }));
    };
    return { ran, deliver };
  }

  it("runs each message once over its redeliveries", async () => {
    const { ran, deliver } = bench();
    expect(await deliver("m-1", "m-2")).toStrictEqual([]);
    expect(await deliver("m-1", "m-2", "m-3")).toStrictEqual([]);
    expect(ran).toStrictEqual(["m-1", "m-2", "m-3"]);
  });

  it("reports a message that fails, and one that is still in progress, which is then acknowledged", async () => {
    const { ran, deliver } = bench(({ messageId }) => {
      if (messageId === "m-2") throw new Error("no");
    });
    expect(await deliver("m-1", "m-1", "m-2")).toStrictEqual(["m-1", "m-2"]);
    expect(await deliver("m-1")).toStrictEqual([]);
    expect(ran).toStrictEqual(["m-1", "m-2"]);
  });
});

describe("the types of AWS", () => {
  const options = { store: testingStore(), operation: "pay" };

  it("fit the handler, whatever its record's handler is annotated with", async () => {
    const plain = idempotentBatch(async ({ body, messageId }) => [body, messageId], options);
    const annotated = idempotentBatch(async (_record: SQSRecord, _context: Context) => {}, options);
    expectTypeOf(plain).toExtend<SQSHandler>();
    expectTypeOf(annotated).toExtend<SQSHandler>();
    const kinesis = idempotentBatch(
      async (record: ReturnType<typeof readEvent<"kinesis">>["Records"][number]) => record.kinesis.data,
      { ...options, operation: "kinesis" },
    );
    expectTypeOf(kinesis).toExtend<KinesisStreamHandler>();
    const table = idempotentBatch(
      async (record: ReturnType<typeof readEvent<"dynamodb-stream">>["Records"][number]) => record.dynamodb?.Keys,
      { ...options, operation: "table", key: ({ eventID }) => eventID },
    );
    expectTypeOf(table).toExtend<DynamoDBStreamHandler>();

    expect(await annotated(readEvent("sqs"), context)).toStrictEqual({ batchItemFailures: [] });
    expect(await annotated(readEvent("sqs-fifo"), context)).toStrictEqual({ batchItemFailures: [] });
    expect(await kinesis(readEvent("kinesis"), context)).toStrictEqual({ batchItemFailures: [] });
    expect(await table(readEvent("dynamodb-stream"), context)).toStrictEqual({ batchItemFailures: [] });
  });

  it("refuses an option that is none, and a selector over another record", () => {
    // @ts-expect-error there is no such option
    expect(() => idempotentBatch(async () => {}, { ...options, batchSize: 10 })).toThrow("batchSize");
    // @ts-expect-error a message has no such part
    idempotentBatch(async () => {}, { ...options, key: ({ payload }) => payload });
  });
});
