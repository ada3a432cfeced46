import { describe, expect, it, vi } from "vitest";
import { type BatchOptions, idempotentBatch, type SqsRecord } from "../../../src/batch.ts";
import { IdempotencyInProgressError } from "../../../src/index.ts";
import { lambdaContext } from "../../../src/testing.ts";
import { bench, type Context, eventOf, latch, message } from "./kit.ts";

describe("a message in progress elsewhere", () => {
  async function elsewhere(more: Partial<BatchOptions<SqsRecord, Context>>, remaining = 42.1) {
    const made = bench(undefined, more);
    const gate = latch();
    const other = idempotentBatch(async () => gate.opened, { store: made.store, operation: "pay", ...more });
    const first = other(eventOf(message("m-1")), lambdaContext({ remaining: { seconds: remaining } }));
    await vi.waitFor(() => expect(made.store.records()).toHaveLength(1));
    return {
      ...made,
      finish: async () => {
        gate.open();
        await first;
      },
    };
  }

  it("is reported and not run, and acknowledged once it has completed there", async () => {
    const { deliver, ran, finish } = await elsewhere({});
    expect(await deliver(message("m-1", { received: 2 }), message("m-2"))).toStrictEqual(["m-1"]);
    await finish();
    expect(await deliver(message("m-1", { received: 3 }))).toStrictEqual([]);
    expect(ran).toStrictEqual(["m-2"]);
  });

  it("is hidden until its lock ends, in whole seconds, with whatever joined it", async () => {
    const changeVisibility = vi.fn(async () => {});
    const { deliver, finish } = await elsewhere({ changeVisibility, key: "json(body).id" });
    const twin = message("m-9", { body: { id: "m-1" } });
    const again = message("m-1", { received: 2 });
    expect(await deliver(again, twin, message("m-2"))).toStrictEqual(["m-1", "m-9"]);
    // 42.1 s that its Lambda had left, and 5 s of margin.
    expect(changeVisibility.mock.calls).toStrictEqual([
      [again, 48],
      [twin, 48],
    ]);
    await finish();
  });

  it("is hidden for no longer than SQS allows", async () => {
    const changeVisibility = vi.fn(async () => {});
    const { deliver, finish } = await elsewhere({ changeVisibility, lockFor: { hours: 20 } });
    await deliver(message("m-1"));
    expect(changeVisibility).toHaveBeenCalledWith(expect.anything(), 43_200);
    await finish();
  });

  it("is reported all the same where its visibility cannot be changed", async () => {
    const changeVisibility = vi.fn(() => {
      throw new Error("AccessDenied");
    });
    const { deliver, finish, events } = await elsewhere({ changeVisibility });
    expect(await deliver(message("m-1"))).toStrictEqual(["m-1"]);
    expect(events.at(-1)).toMatchObject({ type: "visibility_failed", item: "m-1" });
    await finish();
  });

  it("does not keep the batch waiting for SQS", async () => {
    const { deliver, finish, events } = await elsewhere({ changeVisibility: () => new Promise(() => {}) });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answer = deliver(message("m-1"));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await answer).toStrictEqual(["m-1"]);
    vi.useRealTimers();
    expect(events.at(-1)).toMatchObject({ type: "visibility_failed" });
    await finish();
  });

  it("is not hidden where the batch has no time left but for its answer", async () => {
    const changeVisibility = vi.fn(async () => {});
    const { deliver, finish, store, context, events } = await elsewhere({ changeVisibility });
    const { claim } = store;
    let remaining = 10_000;
    Object.assign(context as object, { getRemainingTimeInMillis: () => remaining });
    vi.spyOn(store, "claim").mockImplementation((request) => {
      remaining = 400;
      return claim(request);
    });
    expect(await deliver(message("m-1"))).toStrictEqual(["m-1"]);
    expect(changeVisibility).not.toHaveBeenCalled();
    expect(events.at(-1)).toMatchObject({ type: "visibility_failed", item: "m-1" });
    await finish();
  });

  it("leaves the visibility of other failures alone", async () => {
    const changeVisibility = vi.fn(async () => {});
    const { deliver } = bench(
      async () => {
        throw new IdempotencyInProgressError({ retryAfter: 1 });
      },
      { changeVisibility },
    );
    expect(await deliver(message("m-1"))).toStrictEqual(["m-1"]);
    expect(changeVisibility).not.toHaveBeenCalled();
  });
});
