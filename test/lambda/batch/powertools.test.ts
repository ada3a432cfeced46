import {
  BatchProcessor,
  EventType,
  FullBatchFailureError,
  processPartialResponse,
  SqsFifoPartialProcessorAsync,
} from "@aws-lambda-powertools/batch";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { describe, expect, it, vi } from "vitest";
import { currentClaim, idempotent } from "../../../src/index.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { eventOf, failed, latch, message } from "./kit.ts";

/** One delivery: `<id>`, or `<id>@<group>` of a FIFO queue. */
type Delivered = string;

/** The two handlers of docs/sqs.md around `recordPayment`, in two environments of one function. */
function bench(recordPayment: (record: SQSRecord) => unknown = () => "done") {
  const store = testingStore();
  const ran: string[] = [];

  function environment() {
    const recordHandler = idempotent(
      async (record: SQSRecord, _context: Context) => {
        ran.push(record.messageId);
        return recordPayment(record);
      },
      { store, operation: "record-payment", key: "messageId", expiresAfter: { days: 15 } },
    );
    const processor = new BatchProcessor(EventType.SQS);
    const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
      processPartialResponse(event, recordHandler, processor, { context });
    const fifoProcessor = new SqsFifoPartialProcessorAsync();
    const fifoHandler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
      processPartialResponse(event, recordHandler, fifoProcessor, { context, skipGroupOnError: true });

    const deliverTo =
      (to: typeof handler) =>
      async (...messages: Delivered[]) => {
        const records = messages.map((one) => {
          const [id = "", group] = one.split("@");
          return message(id, group === undefined ? {} : { group }) as unknown as SQSRecord;
        });
        return failed(await to(eventOf(...records), lambdaContext({ remaining: { seconds: 30 } })));
      };
    return { deliver: deliverTo(handler), deliverFifo: deliverTo(fifoHandler) };
  }
  return { store, ran, ...environment(), other: environment() };
}

const failing =
  (...ids: string[]) =>
  ({ messageId }: SQSRecord) => {
    if (ids.includes(messageId)) throw new Error("declined");
    return "done";
  };

describe("beside the batch processor of Powertools, idempotent() around the record's handler", () => {
  it("runs each message once over its redeliveries, and acknowledges all", async () => {
    const { ran, deliver } = bench();
    expect(await deliver("m-1", "m-2")).toStrictEqual([]);
    expect(await deliver("m-1", "m-2", "m-3")).toStrictEqual([]);
    expect(ran).toStrictEqual(["m-1", "m-2", "m-3"]);
  });

  it("reports a message that fails, alone, and runs it again when it is delivered again", async () => {
    const { ran, deliver } = bench(failing("m-2"));
    expect(await deliver("m-1", "m-2", "m-3")).toStrictEqual(["m-2"]);
    expect(await deliver("m-2", "m-4")).toStrictEqual(["m-2"]);
    expect(ran.sort()).toStrictEqual(["m-1", "m-2", "m-2", "m-3", "m-4"]);
  });

  it("reports a message that is in progress, in the same batch or elsewhere, and acknowledges it afterwards", async () => {
    const gate = latch();
    const { ran, deliver, other } = bench(() => gate.opened);
    const first = deliver("m-1", "m-1", "m-2");
    await vi.waitFor(() => expect(ran).toStrictEqual(["m-1", "m-2"]));
    const elsewhere = other.deliver("m-1", "m-3");
    await vi.waitFor(() => expect(ran).toContain("m-3"));
    gate.open();
    expect(await first).toStrictEqual(["m-1"]);
    expect(await elsewhere).toStrictEqual(["m-1"]);
    expect(await deliver("m-1", "m-2", "m-3")).toStrictEqual([]);
    expect(ran).toStrictEqual(["m-1", "m-2", "m-3"]);
  });

  it("has the processor throw where every message failed, which returns the batch as a whole, and keys are free", async () => {
    const { ran, deliver, store } = bench(failing("m-1", "m-2"));
    await expect(deliver("m-1", "m-2")).rejects.toThrow(FullBatchFailureError);
    expect(store.records()).toStrictEqual([]);
    await expect(deliver("m-1", "m-2")).rejects.toThrow(FullBatchFailureError);
    expect(ran).toHaveLength(4);
  });

  it("locks a key for as long as the Lambda lives, by the context that is handed on", async () => {
    const locks: number[] = [];
    const made = bench(() => {
      const [record] = made.store.records();
      if (record?.status === "IN_PROGRESS") locks.push(record.lockedUntil - made.store.clock.now());
      return currentClaim().held;
    });
    await made.deliver("m-1");
    // 30 s that its Lambda had left, and 5 s of margin, less what has passed.
    expect(locks).toStrictEqual([expect.closeTo(35_000, -3)]);
  });
});

describe("beside the FIFO processor of Powertools", () => {
  it("runs each message once, in order, and leaves a group at its first failure with the rest reported", async () => {
    const { ran, deliverFifo } = bench(failing("a-2"));
    expect(await deliverFifo("a-1@a", "b-1@b", "a-2@a", "a-3@a", "b-2@b")).toStrictEqual(["a-2", "a-3"]);
    expect(ran).toStrictEqual(["a-1", "b-1", "a-2", "b-2"]);
  });

  it("goes on with the group when it is delivered again, and runs nothing twice", async () => {
    let broken = true;
    const { ran, deliverFifo } = bench(({ messageId }) => {
      if (broken && messageId === "a-2") throw new Error("declined");
      return "done";
    });
    expect(await deliverFifo("a-1@a", "a-2@a", "a-3@a")).toStrictEqual(["a-2", "a-3"]);
    broken = false;
    // The acknowledgement of a-1 was lost: it comes again as well.
    expect(await deliverFifo("a-1@a", "a-2@a", "a-3@a")).toStrictEqual([]);
    expect(ran).toStrictEqual(["a-1", "a-2", "a-2", "a-3"]);
  });

  it("stops a group at a message that is in progress elsewhere", async () => {
    const gate = latch();
    const { ran, deliverFifo, other } = bench(({ messageId }) => (messageId === "a-1" ? gate.opened : "done"));
    const first = deliverFifo("a-1@a");
    await vi.waitFor(() => expect(ran).toStrictEqual(["a-1"]));
    expect(await other.deliverFifo("a-1@a", "a-2@a", "b-1@b")).toStrictEqual(["a-1", "a-2"]);
    gate.open();
    expect(await first).toStrictEqual([]);
    expect(await deliverFifo("a-1@a", "a-2@a")).toStrictEqual([]);
    expect(ran).toStrictEqual(["a-1", "b-1", "a-2"]);
  });
});
