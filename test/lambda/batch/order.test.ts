import { describe, expect, it, vi } from "vitest";
import { type BatchOptions, idempotentBatch, type SqsRecord } from "../../../src/batch.ts";
import { lambdaContext } from "../../../src/testing.ts";
import { onStandingClock } from "../../contract/front-end/kit.ts";
import { bench, type Context, eventOf, latch, message } from "./kit.ts";

describe("the same key twice in a batch", () => {
  const of = (id: string, amount = 1) => message(id, { body: { id: "p-1", amount } });
  const options = { key: "json(body).id", fingerprint: "json(body)" };

  it("runs once, and the second message has the first one's success without a request", async () => {
    const { deliver, ran, store, events } = bench(undefined, options);
    const claim = vi.spyOn(store, "claim");
    expect(await deliver(of("m-1"), of("m-2"), of("m-3"))).toStrictEqual([]);
    expect(ran).toStrictEqual(["m-1"]);
    expect(claim).toHaveBeenCalledTimes(1);
    expect(events.map(({ type }) => type)).toStrictEqual(["claimed", "completed", "replayed", "replayed"]);
  });

  it("has the first one's failure", async () => {
    const { deliver, ran, events } = bench(async () => Promise.reject(new Error("no")), options);
    expect(await deliver(of("m-1"), of("m-2"), of("m-3"))).toStrictEqual(["m-1", "m-2", "m-3"]);
    expect(ran).toStrictEqual(["m-1"]);
    expect(events.filter(({ type }) => type === "reported").map((event) => Object(event).reason)).toStrictEqual([
      "threw",
      "joined",
      "joined",
    ]);
  });

  it("reports only the message with another content", async () => {
    const { deliver, ran, events } = bench(undefined, options);
    expect(await deliver(of("m-1"), of("m-2", 2), of("m-3"))).toStrictEqual(["m-2"]);
    expect(ran).toStrictEqual(["m-1"]);
    expect(events).toContainEqual(expect.objectContaining({ type: "refused", code: "key_reused" }));
  });

  it("is judged by what stands in the store where it was completed before", async () => {
    const { deliver, ran } = bench(undefined, options);
    await deliver(of("m-0", 2));
    expect(await deliver(of("m-1"), of("m-2", 2), of("m-3"))).toStrictEqual(["m-1", "m-3"]);
    expect(ran).toStrictEqual(["m-0"]);
  });

  it("takes the second on its own where the first was not begun", async () => {
    const { deliver, ran } = bench(
      ({ messageId }) => {
        if (messageId === "m-1") throw new Error("no");
      },
      { key: "json(body).id" },
    );
    const messages = [
      message("m-1", { group: "a" }),
      message("m-2", { group: "a", body: { id: "p-1" } }),
      message("m-3", { group: "b", body: { id: "p-1" } }),
    ];
    expect(await deliver(...messages)).toStrictEqual(["m-1", "m-2"]);
    expect(ran).toStrictEqual(["m-1", "m-3"]);
  });

  it("does not block groups that hold each other's keys", async () => {
    const { deliver, ran } = bench(undefined, { key: "json(body)", concurrency: 1 });
    const messages = [
      message("a-1", { group: "a", body: 1 }),
      message("b-1", { group: "b", body: 2 }),
      message("b-2", { group: "b", body: 1 }),
      message("a-2", { group: "a", body: 2 }),
    ];
    expect(await deliver(...messages)).toStrictEqual([]);
    expect(ran).toStrictEqual(["a-1", "b-1"]);
  });
});

describe("concurrency", () => {
  async function mostAtOnce(given: Partial<BatchOptions<SqsRecord, Context>>, ...messages: SqsRecord[]) {
    let now = 0;
    let most = 0;
    const { deliver } = bench(async () => {
      most = Math.max(most, ++now);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      now--;
    }, given);
    expect(await deliver(...messages)).toStrictEqual([]);
    return most;
  }
  const many = Array.from({ length: 30 }, (_, n) => message(`m-${n}`));

  it("is ten where nothing is said", async () => expect(await mostAtOnce({}, ...many)).toBe(10));
  it("is what the option says", async () => expect(await mostAtOnce({ concurrency: 3 }, ...many)).toBe(3));
  it("may be one", async () => expect(await mostAtOnce({ concurrency: 1 }, ...many)).toBe(1));
  it("never is above one in a group of a FIFO queue", async () => {
    const grouped = Array.from({ length: 12 }, (_, n) => message(`m-${n}`, { group: `g-${n % 2}` }));
    expect(await mostAtOnce({}, ...grouped)).toBe(2);
  });
  it("takes no notice of the groups of a standard queue, which promises no order", async () => {
    const fair = many.map((one) => ({ ...one, attributes: { ...one.attributes, MessageGroupId: "tenant" } }));
    expect(await mostAtOnce({}, ...fair)).toBe(10);
  });
});

describe("a FIFO queue", () => {
  it("is taken in order per group, stops a group at its first failure and reports it with the rest (bad input: FIFO, the second fails)", async () => {
    const { deliver, ran, events } = bench(({ messageId }) => {
      if (messageId === "a-2") throw new Error("no");
    });
    const messages = ["a-1", "b-1", "a-2", "a-3", "b-2", "a-4"].map((id) => message(id, { group: id.slice(0, 1) }));
    expect(await deliver(...messages)).toStrictEqual(["a-2", "a-3", "a-4"]);
    expect(ran.filter((id) => id.startsWith("a"))).toStrictEqual(["a-1", "a-2"]);
    expect(ran.filter((id) => id.startsWith("b"))).toStrictEqual(["b-1", "b-2"]);
    expect(events).toContainEqual(expect.objectContaining({ type: "reported", item: "a-4", reason: "group_stopped" }));
  });

  it("has the message id for its key, so that a later equal message runs", async () => {
    const { deliver, ran } = bench();
    const again = (id: string) => {
      const one = message(id, { group: "a", body: "equal" });
      return { ...one, attributes: { ...one.attributes, MessageDeduplicationId: "same" } };
    };
    await deliver(again("m-1"));
    await deliver(again("m-2"));
    expect(ran).toStrictEqual(["m-1", "m-2"]);
  });

  it("is reported as a whole, and not begun, where the context cannot say what time is left", async () => {
    const made = bench();
    const broken = () => {
      throw new Error("broken");
    };
    made.context = { ...lambdaContext(), getRemainingTimeInMillis: broken };
    expect(await made.deliver(message("m-1", { group: "a" }), message("m-2", { group: "a" }))).toStrictEqual([
      "m-1",
      "m-2",
    ]);
    expect(made.ran).toStrictEqual([]);
    const reported = made.events.map((event) => ("reason" in event ? event.reason : event.type));
    expect(reported).toStrictEqual(["refused", "group_stopped"]);
  });

  it("stops a group at a message in progress elsewhere", async () => {
    const { deliver, ran, store } = bench(undefined, { key: "json(body).id" });
    const elsewhere = latch();
    const other = idempotentBatch(async () => elsewhere.opened, { store, operation: "pay", key: "json(body).id" });
    const first = other(eventOf(message("m-1", { group: "a" })), lambdaContext());
    await vi.waitFor(() => expect(store.records()).toHaveLength(1));
    const messages = ["m-1", "m-2"].map((id) => message(id, { group: "a", received: 2 }));
    expect(await deliver(...messages)).toStrictEqual(["m-1", "m-2"]);
    expect(ran).toStrictEqual([]);
    elsewhere.open();
    await first;
    expect(await deliver(...messages)).toStrictEqual([]);
    expect(ran).toStrictEqual(["m-2"]);
  });
});

describe("the time left", () => {
  const seconds = (amount: number) => lambdaContext({ remaining: { seconds: amount } });
  const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
  async function running<A>(answer: Promise<A>): Promise<A> {
    await vi.advanceTimersByTimeAsync(60_000);
    return answer;
  }

  it(
    "has to cover the longest message so far and the margin, else the rest is reported and none of it begun (bad input: too little time left for the next record)",
    onStandingClock(async () => {
      const made = bench(() => wait(1_000), { concurrency: 1 });
      made.context = seconds(3.4);
      const claim = vi.spyOn(made.store, "claim");
      // 3.4 s, 2.4 s are enough for one of 1 s and half a second; 1.4 s are not.
      expect(await running(made.deliver(...["m-1", "m-2", "m-3", "m-4"].map((id) => message(id))))).toStrictEqual([
        "m-3",
        "m-4",
      ]);
      expect(made.ran).toStrictEqual(["m-1", "m-2"]);
      expect(claim).toHaveBeenCalledTimes(2);
      expect(made.events).toContainEqual(
        expect.objectContaining({ type: "reported", item: "m-4", reason: "no_time_left" }),
      );
    }),
  );

  it(
    "has to cover those that still run as well",
    onStandingClock(async () => {
      const made = bench(({ messageId }) => wait(messageId === "m-1" ? 2_500 : 2_000), { concurrency: 2 });
      made.context = seconds(4.4);
      // At 2 s, when m-2 ends, m-1 has run as long; 2.4 s are left, less than those 2 s and half a second.
      expect(await running(made.deliver(...["m-1", "m-2", "m-3"].map((id) => message(id))))).toStrictEqual(["m-3"]);
      const short = bench(({ messageId }) => wait(messageId === "m-1" ? 3_000 : 1_000), { concurrency: 2 });
      short.context = seconds(3.8);
      // At 2 s, when m-3 ends, the longest that ended took 1 s, and m-1 runs for 2 s by then; 1.8 s are left.
      expect(await running(short.deliver(...["m-1", "m-2", "m-3", "m-4"].map((id) => message(id))))).toStrictEqual([
        "m-4",
      ]);
    }),
  );

  it(
    "that is below the margin from the start begins nothing",
    onStandingClock(async () => {
      const made = bench(undefined, { deadlineMargin: { seconds: 2 } });
      made.context = seconds(1.9);
      expect(await made.deliver(message("m-1"), message("m-2"))).toStrictEqual(["m-1", "m-2"]);
      expect(made.ran).toStrictEqual([]);
      expect(made.store.records()).toStrictEqual([]);
    }),
  );

  it("is not asked for where nobody knows it", async () => {
    const made = bench();
    made.context = undefined;
    expect(await made.deliver(message("m-1"))).toStrictEqual([]);
  });
});
