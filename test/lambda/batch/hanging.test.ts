import { describe, expect, it, vi } from "vitest";
import { type BatchOptions, idempotentBatch, type KinesisRecord, type SqsRecord } from "../../../src/batch.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { onStandingClock } from "../../contract/front-end/kit.ts";
import { type Bench, bench, type Context, eventOf, failed, latch, message } from "./kit.ts";

const seconds = (amount: number) => lambdaContext({ remaining: { seconds: amount } });
const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
const never = () => new Promise(() => {});

/** A batch in which `bad` hangs; the Lambda has 3 s, its margin is the usual half second. */
function hanging(more: Partial<BatchOptions<SqsRecord, Context>> = {}, hang: () => unknown = never): Bench {
  const made = bench(({ messageId }) => (messageId === "bad" ? hang() : "done"), more);
  made.context = seconds(3);
  return made;
}

/** What the batch has answered once so many milliseconds have passed; `undefined` where it has not. */
async function answerAfter(millis: number, answer: Promise<string[]>): Promise<string[] | undefined> {
  let answered: string[] | undefined;
  void answer.then((given) => {
    answered = given;
  });
  await vi.advanceTimersByTimeAsync(millis);
  return answered;
}

const reports = ({ events }: Bench) =>
  events.filter((event) => event.type === "reported").map(({ item, reason }) => `${item}: ${reason}`);

// Seen by a reviewer: one record that never settled kept the answer back, and good ones came again until the dead-letter queue.
describe("a record that hangs", () => {
  it(
    "does not keep the batch from its answer: it alone is reported, half a second before the Lambda ends",
    onStandingClock(async () => {
      const made = hanging();
      const answer = made.deliver(message("good-1"), message("bad"), message("good-2"));
      expect(await answerAfter(2_490, answer)).toBeUndefined();
      expect(await answerAfter(20, answer)).toStrictEqual(["bad"]);
      expect(made.events.at(-1)).toMatchObject({
        type: "reported",
        item: "bad",
        reason: "unfinished",
        error: { code: "outcome_unknown" },
      });
    }),
  );

  it(
    "holds its key: it does not run again before its lock has lapsed, and good ones never do",
    onStandingClock(async () => {
      const made = hanging();
      const again = async (received: number) => {
        made.context = seconds(3);
        const answer = made.deliver(...["good", "bad"].map((id) => message(id, { received })));
        return answerAfter(2_500, answer);
      };
      expect(await again(1)).toStrictEqual(["bad"]);
      expect(made.store.records().map(({ status }) => status)).toStrictEqual(["COMPLETED", "IN_PROGRESS"]);
      expect(await again(2)).toStrictEqual(["bad"]);
      expect(made.ran).toStrictEqual(["good", "bad"]);
      made.store.advance({ seconds: 10 });
      expect(await again(3)).toStrictEqual(["bad"]);
      expect(made.ran).toStrictEqual(["good", "bad", "bad"]);
    }),
  );

  it(
    "leaves those that found no place beside it for the next delivery",
    onStandingClock(async () => {
      const made = hanging({ concurrency: 1 });
      const answer = made.deliver(message("good-1"), message("bad"), message("good-2"), message("good-3"));
      expect(await answerAfter(2_500, answer)).toStrictEqual(["bad", "good-2", "good-3"]);
      expect(made.ran).toStrictEqual(["good-1", "bad"]);
      expect(reports(made)).toStrictEqual(["bad: unfinished", "good-2: no_time_left", "good-3: no_time_left"]);
    }),
  );

  it(
    "lets nothing begin behind it though the context says that there is time, as one that stands still in a test does",
    onStandingClock(async () => {
      const made = hanging({ concurrency: 1 });
      made.context = { ...lambdaContext(), getRemainingTimeInMillis: () => 3_000 };
      const claim = vi.spyOn(made.store, "claim");
      expect(await answerAfter(2_500, made.deliver(message("bad"), message("good")))).toStrictEqual(["bad", "good"]);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(made.ran).toStrictEqual(["bad"]);
      expect(claim).toHaveBeenCalledTimes(1);
    }),
  );

  it(
    "keeps the order of its FIFO group: everything behind it is reported, and other groups are done",
    onStandingClock(async () => {
      const made = hanging();
      const of = (group: string) => (id: string) => message(id, { group });
      const answer = made.deliver(...["a-1", "bad", "a-3", "a-4"].map(of("a")), ...["b-1", "b-2"].map(of("b")));
      expect(await answerAfter(2_500, answer)).toStrictEqual(["bad", "a-3", "a-4"]);
      expect(made.ran.sort()).toStrictEqual(["a-1", "b-1", "b-2", "bad"]);
      expect(reports(made)).toStrictEqual(["bad: unfinished", "a-3: group_stopped", "a-4: group_stopped"]);
    }),
  );

  it(
    "is where its stream goes on from",
    onStandingClock(async () => {
      const handler = idempotentBatch(
        async ({ kinesis }: KinesisRecord) => (kinesis.sequenceNumber === "8" ? never() : undefined),
        { store: testingStore(), operation: "follow" },
      );
      const of = (sequenceNumber: string): KinesisRecord => ({
        eventID: `shardId-000000000001:${sequenceNumber}`,
        eventSource: "aws:kinesis",
        eventSourceARN: "arn:aws:kinesis:eu-central-1:123456789012:stream/orders",
        kinesis: { sequenceNumber, partitionKey: "p", data: "" },
      });
      const answer = handler(eventOf(of("7"), of("8"), of("9")), seconds(3)).then(failed);
      expect(await answerAfter(2_500, answer)).toStrictEqual(["8"]);
    }),
  );

  it(
    "hands its failure on to those with its key",
    onStandingClock(async () => {
      const made = hanging({ key: "json(body).id" });
      const answer = made.deliver(message("bad"), message("twin", { body: { id: "bad" } }));
      expect(await answerAfter(2_500, answer)).toStrictEqual(["bad", "twin"]);
      expect(reports(made)).toStrictEqual(["bad: unfinished", "twin: joined"]);
    }),
  );

  it.each(["returns", "throws"])(
    "changes nothing of the answer and begins nothing where it %s after all",
    async (end) => {
      await onStandingClock(async () => {
        const gate = latch();
        const made = hanging({ concurrency: 1 }, async () => {
          await gate.opened;
          if (end === "throws") throw new Error("no");
        });
        const answer = made.deliver(message("bad"), message("next"));
        expect(await answerAfter(2_500, answer)).toStrictEqual(["bad", "next"]);
        const told = reports(made);
        gate.open();
        await vi.advanceTimersByTimeAsync(60_000);
        expect(await answer).toStrictEqual(["bad", "next"]);
        expect(made.ran).toStrictEqual(["bad"]);
        expect(reports(made)).toStrictEqual(told);
        // What it returned is its outcome; what it threw after its deadline is none.
        expect(made.store.records().map(({ status }) => status)).toStrictEqual([
          end === "returns" ? "COMPLETED" : "IN_PROGRESS",
        ]);
      })();
    },
  );

  it(
    "is answered for without a claim, too",
    onStandingClock(async () => {
      const made = hanging({ key: "json(body).x", whenKeyMissing: "run" });
      const answer = made.deliver(message("good"), message("bad"));
      expect(await answerAfter(2_500, answer)).toStrictEqual(["bad"]);
    }),
  );

  it(
    "is waited for where nobody knows what time is left",
    onStandingClock(async () => {
      const gate = latch();
      const made = hanging({}, () => gate.opened);
      made.context = undefined;
      const answer = made.deliver(message("good"), message("bad"));
      expect(await answerAfter(3_600_000, answer)).toBeUndefined();
      gate.open();
      expect(await answer).toStrictEqual([]);
    }),
  );
});

describe("the end of a batch's time", () => {
  it(
    "waits for a result that is being saved: the margin is there for that",
    onStandingClock(async () => {
      const made = hanging({}, () => wait(2_450));
      const { complete } = made.store;
      vi.spyOn(made.store, "complete").mockImplementation(async (request) => {
        await wait(100);
        return complete(request);
      });
      const answer = made.deliver(message("bad"));
      expect(await answerAfter(2_510, answer)).toBeUndefined();
      expect(await answerAfter(50, answer)).toStrictEqual([]);
    }),
  );

  it(
    "acknowledges a record whose result could not be saved in time, and still answers before the Lambda ends",
    onStandingClock(async () => {
      const made = hanging({}, () => wait(2_450));
      vi.spyOn(made.store, "complete").mockImplementation(never as never);
      expect(await answerAfter(2_950, made.deliver(message("bad")))).toStrictEqual([]);
      expect(made.events.map(({ type }) => type)).toStrictEqual(["claimed", "save_failed"]);
    }),
  );

  it(
    "waits for no save beyond it: under a lock that could not be renewed, a save is given half of what is left",
    onStandingClock(async () => {
      const made = hanging({ lockFor: { seconds: 1 } }, () => wait(2_450));
      vi.spyOn(made.store, "renew").mockImplementation(never as never);
      vi.spyOn(made.store, "complete").mockImplementation(never as never);
      expect(await answerAfter(2_950, made.deliver(message("bad")))).toStrictEqual([]);
      expect(made.events.map(({ type }) => type).filter((type) => type !== "renew_failed")).toStrictEqual([
        ...["claimed", "save_failed"],
      ]);
    }),
  );

  it(
    "runs nothing whose claim comes too late, and gives that back",
    onStandingClock(async () => {
      const made = bench();
      let asked = 0;
      // The batch is told of 2 s, its record of more: a claim's deadline may lie after the batch's.
      made.context = { ...lambdaContext(), getRemainingTimeInMillis: () => (++asked === 1 ? 2_000 : 3_000) };
      const { claim } = made.store;
      vi.spyOn(made.store, "claim").mockImplementation(async (request) => {
        await wait(1_600);
        return claim(request);
      });
      const answer = made.deliver(message("m-1"));
      expect(await answerAfter(1_500, answer)).toStrictEqual(["m-1"]);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(made.ran).toStrictEqual([]);
      expect(made.store.records()).toStrictEqual([]);
      expect(reports(made)).toStrictEqual(["m-1: no_time_left"]);
    }),
  );

  it(
    "leaves no timer behind once the batch has answered",
    onStandingClock(async () => {
      const { deliver } = bench();
      await deliver(message("m-1"));
      expect(vi.getTimerCount()).toBe(0);
    }),
  );

  it(
    "keeps the process alive until then: Lambda takes an empty answer for a success of the whole batch",
    onStandingClock(async () => {
      const timers = vi.spyOn(globalThis, "setTimeout");
      const answer = hanging().deliver(message("bad"));
      const lasting = timers.mock.calls.flatMap(([, millis], n) => {
        const timer = timers.mock.results[n]?.value as NodeJS.Timeout;
        return timer.hasRef() ? [millis] : [];
      });
      expect(lasting).toStrictEqual([2_500, 2_950]);
      expect(await answerAfter(2_500, answer)).toStrictEqual(["bad"]);
      timers.mockRestore();
    }),
  );
});
