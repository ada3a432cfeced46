import type { Context, DynamoDBStreamHandler, KinesisStreamHandler, SQSHandler, SQSRecord } from "aws-lambda";
import { describe, expect, expectTypeOf, it } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";
import { idempotentBatch } from "../../../src/batch.ts";
import { currentClaim } from "../../../src/index.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { MIDDIES } from "../middies.ts";
import { eventOf, message } from "./kit.ts";

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
