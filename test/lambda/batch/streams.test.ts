import { describe, expect, it, vi } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";
import { type DynamoDBStreamRecord, idempotentBatch, type KinesisRecord } from "../../../src/batch.ts";
import { lower } from "../../../src/lambda/batch/source.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { failed } from "./kit.ts";

const changeVisibility = vi.fn(async () => {});

/** A batch of either stream, and what its records are named by. */
const STREAMS = [
  {
    name: "Kinesis",
    records(...sequence: string[]) {
      const [first] = readEvent("kinesis").Records;
      if (first === undefined) throw new Error("the event has no record");
      return sequence.map((sequenceNumber) => ({
        ...first,
        eventID: `shardId-000000000006:${sequenceNumber}`,
        kinesis: { ...first.kinesis, sequenceNumber },
      }));
    },
  },
  {
    name: "DynamoDB",
    records(...sequence: string[]) {
      const [first] = readEvent("dynamodb-stream").Records;
      return sequence.map((SequenceNumber) => ({
        ...first,
        eventID: `event-${SequenceNumber}`,
        dynamodb: { ...first?.dynamodb, SequenceNumber },
      }));
    },
  },
];

const sequenceOf = (record: KinesisRecord | DynamoDBStreamRecord): string =>
  ("kinesis" in record ? record.kinesis.sequenceNumber : record.dynamodb?.SequenceNumber) as string;

describe.each(STREAMS)("a stream of $name", ({ records }) => {
  function bench(fails: (sequence: string) => boolean = () => false) {
    const ran: string[] = [];
    const store = testingStore();
    const handler = idempotentBatch(
      async (record: KinesisRecord | DynamoDBStreamRecord) => {
        ran.push(sequenceOf(record));
        await Promise.resolve();
        if (fails(sequenceOf(record))) throw new Error("no");
      },
      { store, operation: "follow", changeVisibility },
    );
    const deliver = async (...sequence: string[]) =>
      failed(await handler({ Records: records(...sequence) }, lambdaContext()));
    return { ran, store, deliver };
  }

  it("is taken in order, once, whatever is delivered again", async () => {
    const { ran, deliver } = bench();
    expect(await deliver("7", "8", "9", "10")).toStrictEqual([]);
    expect(await deliver("9", "10", "11")).toStrictEqual([]);
    expect(ran).toStrictEqual(["7", "8", "9", "10", "11"]);
  });

  it("stops at the first failure and reports its sequence number alone, from where all comes again", async () => {
    let broken = true;
    const { ran, deliver } = bench((sequence) => broken && sequence === "9");
    expect(await deliver("8", "9", "10", "11")).toStrictEqual(["9"]);
    expect(ran).toStrictEqual(["8", "9"]);
    broken = false;
    expect(await deliver("9", "10", "11")).toStrictEqual([]);
    expect(ran).toStrictEqual(["8", "9", "9", "10", "11"]);
  });

  it("is not hidden where a record is in progress elsewhere", async () => {
    const { ran, store, deliver } = bench();
    await deliver("1");
    const id = store.records()[0]?.id as string;
    await store.claim({
      id: id.replace(/#.*/, "#other"),
      owner: "another",
      now: store.clock.now(),
      lockedUntil: (store.clock.now() + 60_000) as never,
      expiresAt: undefined,
      fingerprint: undefined,
    });
    const claim = vi.spyOn(store, "claim");
    claim.mockResolvedValueOnce({ outcome: "conflict", found: store.records()[1] });
    expect(await deliver("2", "3")).toStrictEqual(["2"]);
    expect(ran).toStrictEqual(["1"]);
    expect(changeVisibility).not.toHaveBeenCalled();
  });

  it("says from which record on there was no time", async () => {
    const { ran, store } = bench();
    const handler = idempotentBatch(async () => {}, { store, operation: "follow" });
    const answer = await handler(
      { Records: records("99", "100") as never[] },
      lambdaContext({ remaining: { seconds: 0.1 } }),
    );
    expect(failed(answer)).toStrictEqual(["99"]);
    expect(ran).toStrictEqual([]);
  });
});

describe("an event of Kinesis with several shards", () => {
  it("goes on with the other shards, and reports the lowest failure", async () => {
    const [first] = readEvent("kinesis").Records;
    const of = (shard: number, sequenceNumber: string) => ({
      ...first,
      eventSource: "aws:kinesis",
      eventSourceARN: "arn:aws:kinesis:eu-central-1:123456789012:stream/orders",
      eventID: `shardId-00000000000${shard}:${sequenceNumber}`,
      kinesis: { partitionKey: "p", data: "", sequenceNumber },
    });
    const ran: string[] = [];
    const handler = idempotentBatch(
      async ({ kinesis: { sequenceNumber } }: KinesisRecord) => {
        ran.push(sequenceNumber);
        if (sequenceNumber === "20" || sequenceNumber === "9") throw new Error("no");
      },
      { store: testingStore(), operation: "follow" },
    );
    const Records = [of(1, "20"), of(1, "21"), of(2, "8"), of(2, "9"), of(2, "10")];
    expect(failed(await handler({ Records }, lambdaContext()))).toStrictEqual(["9"]);
    expect(ran.sort()).toStrictEqual(["20", "8", "9"]);
  });
});

describe("the default key of Kinesis", () => {
  // Seen by a reviewer: shards and sequence numbers of two streams may be equal, and the second stream's record was dropped.
  it("holds the stream, since an event id is unique in its stream only", async () => {
    const [first] = readEvent("kinesis").Records;
    const of = (stream: string) => ({
      ...(first as KinesisRecord),
      eventSourceARN: `arn:aws:kinesis:eu-central-1:123456789012:stream/${stream}`,
    });
    const ran: string[] = [];
    const handler = idempotentBatch(
      async ({ eventSourceARN }: KinesisRecord) => void ran.push(eventSourceARN.split("/")[1] as string),
      { store: testingStore(), operation: "follow" },
    );
    for (const stream of ["orders", "refunds", "orders"]) {
      expect(failed(await handler({ Records: [of(stream)] }, lambdaContext()))).toStrictEqual([]);
    }
    expect(ran).toStrictEqual(["orders", "refunds"]);
  });
});

describe("the lower of two sequence numbers", () => {
  it.each([
    ["9", "10", "9"],
    ["10", "9", "9"],
    [
      "49590338271490256608559692538361571095921575989136588898",
      "49590338271490256608559692540925702759324208523137515618",
    ],
    ["7", "7", "7"],
  ])("%s and %s", (one, other, least = one) => expect(lower(one, other)).toBe(least));
});
