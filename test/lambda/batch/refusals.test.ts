import { describe, expect, it } from "vitest";
import { idempotentBatch, type SqsRecord } from "../../../src/batch.ts";
import { idempotent, memoryStore } from "../../../src/index.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { bench, eventOf, failed, message } from "./kit.ts";

const config = expect.objectContaining({ name: "IdempotencyConfigError", code: "config" });

describe("an event that is no batch of ours", () => {
  const sns = { EventSource: "aws:sns", Sns: { Message: "{}" } };
  it.each([
    ["an event of API Gateway", { requestContext: {} }, "no Records but undefined"],
    ["nothing", undefined, "no Records but undefined"],
    ["Records that are no list", { Records: {} }, "no Records but an object"],
    ["an event of SNS", { Records: [sns] }, "record 0 of the event is from 'aws:sns'"],
    ["a stranger behind a message", { Records: [message("m-1"), sns] }, "record 1 of the event is from 'aws:sns'"],
    ["a source named like a method", { Records: [{ eventSource: "toString" }] }, "is from 'toString'"],
    ["a record that is nothing", { Records: [null] }, "is from undefined"],
    [
      "two sources",
      { Records: [message("m-1"), { eventSource: "aws:kinesis", kinesis: { sequenceNumber: "1" } }] },
      "record 1 is from 'aws:kinesis'",
    ],
    [
      "a message without an id",
      { Records: [{ ...message("m-1"), messageId: "" }] },
      "record 0 of the event is named ''",
    ],
  ])("%s is refused before anything runs", async (_, event, sentence) => {
    const { handler, ran, store } = bench();
    const call = handler(event as never, lambdaContext());
    await expect(call).rejects.toStrictEqual(config);
    await expect(call).rejects.toThrow(sentence);
    expect(ran).toStrictEqual([]);
    expect(store.records()).toStrictEqual([]);
  });
});

describe("what a batch is made of", () => {
  const given = { store: memoryStore(), operation: "pay" };
  it.each([
    ["no function", undefined, given, "the record's handler is undefined"],
    ["no options", async () => {}, undefined, "the options are undefined"],
    ["a binding", async () => {}, { ...given, binding: {} }, "no option 'binding' for a batch"],
    ["an unknown option", async () => {}, { ...given, batchSize: 10 }, "no option 'batchSize'"],
    ["no store", async () => {}, { operation: "pay" }, "store is not given"],
    ["an observer that is none", async () => {}, { ...given, observe: "log" }, "observe is 'log'"],
    ["a concurrency of 0", async () => {}, { ...given, concurrency: 0 }, "concurrency is 0"],
    ["a concurrency of 1.5", async () => {}, { ...given, concurrency: 1.5 }, "concurrency is 1.5"],
    ["a concurrency in words", async () => {}, { ...given, concurrency: "10" }, "concurrency is '10'"],
    ["no concurrency", async () => {}, { ...given, concurrency: null }, "concurrency is null"],
    ["a client", async () => {}, { ...given, changeVisibility: {} }, "changeVisibility is an object"],
  ])("is refused at once: %s", (_, fn, options, sentence) => {
    expect(() => idempotentBatch(fn as never, options as never)).toThrow(sentence);
    expect(() => idempotentBatch(fn as never, options as never)).toThrow(config);
  });

  it("is answered with the options that a batch has, of which `binding` is none", () => {
    const allowed =
      "there is no option 'batchSize' for a batch; allowed are cache, changeVisibility, claimAt, codec, concurrency, deadlineMargin, ";
    expect(() => idempotentBatch(async () => {}, { ...given, batchSize: 10 } as never)).toThrow(allowed);
    for (const options of [
      { ...given, batchSize: 10 },
      { ...given, binding: undefined },
    ]) {
      expect(() => idempotentBatch(async () => {}, options as never)).toThrow(
        expect.objectContaining({ message: expect.not.stringMatching(/allowed.*binding/) }),
      );
    }
  });

  it("is refused at the call where no key can be read by mistake, and nothing has run", async () => {
    const { handler, ran } = bench(undefined, { key: (() => Promise.resolve("id")) as never });
    await expect(handler(eventOf(message("m-1")), lambdaContext())).rejects.toStrictEqual(config);
    expect(ran).toStrictEqual([]);
  });

  it("reports the one message by which it is called wrongly", async () => {
    const key = ({ messageId }: SqsRecord) => (messageId === "m-2" ? Promise.resolve(messageId) : messageId);
    const { deliver, events } = bench(undefined, { key });
    expect(await deliver(message("m-1"), message("m-2"), message("m-3"))).toStrictEqual(["m-2"]);
    expect(events).toContainEqual(
      expect.objectContaining({ operation: "pay", type: "reported", item: "m-2", error: config }),
    );
  });

  it("stands inside of a wrapped function and wraps others", async () => {
    const store = testingStore();
    const charge = idempotent(async (id: string) => id, { store, operation: "charge" });
    const batch = idempotentBatch(async ({ messageId }) => charge(messageId), { store, operation: "pay" });
    const outer = idempotent(async (id: string) => failed(await batch(eventOf(message(id)), lambdaContext())), {
      store,
      operation: "outer",
    });
    expect(await outer("m-1")).toStrictEqual([]);
    expect(store.records()).toHaveLength(3);
  });
});
