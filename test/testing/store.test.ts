import { describe, expect, it, vi } from "vitest";
import { currentClaim, idempotent, memoryStore } from "../../src/index.ts";
import { lambdaContext, type StoreTurn, testingStore, useStore } from "../../src/testing.ts";

const order = { id: "o-1" };
const config = expect.objectContaining({ code: "config" });

/** An operation over `store`, and a count of its runs. */
function operation(store = testingStore()) {
  const run = vi.fn(async (one: { readonly id: string }): Promise<unknown> => one.id);
  return { store, run, place: idempotent(run, { store, operation: "place", key: "id" }) };
}

describe("testingStore()", () => {
  it("has a clock that stands still", async () => {
    const { clock } = testingStore();
    const before = clock.now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(clock.now()).toBe(before);
    expect(Math.abs(before - Date.now())).toBeLessThan(60_000);
  });

  it("has records that expire when the clock is moved", async () => {
    const { store, run, place } = operation();
    await place(order);
    store.advance({ hours: 23, minutes: 59 });
    await place(order);
    expect(run).toHaveBeenCalledTimes(1);
    store.advance({ minutes: 1, seconds: 1 });
    await place(order);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it.each([0, "1h", {}, { hours: -1 }])("refuses to be moved by %j", (duration) => {
    expect(() => testingStore().advance(duration as never)).toThrow(config);
  });

  it("shows its records, the oldest first, expired ones too", async () => {
    const { store, place } = operation();
    expect(store.records()).toStrictEqual([]);
    await place(order);
    await place({ id: "o-2" });
    store.advance({ days: 2 });
    expect(store.records()).toMatchObject([
      { status: "COMPLETED", attempt: 1, result: { encoding: "json", data: '"o-1"' } },
      { status: "COMPLETED", attempt: 1, result: { encoding: "json", data: '"o-2"' } },
    ]);
  });

  it.each<readonly [StoreTurn, string]>([
    ["claim", "store_failed"],
    ["complete", "in_progress"],
    ["release", "in_progress"],
  ])("fails the next %s, and only that", async (turn, code) => {
    const { store, run, place } = operation();
    if (turn === "release") run.mockRejectedValueOnce(new Error("no"));
    store.failNext(turn);
    const first = await place(order).catch((error: { code?: unknown; message: string }) => error.code ?? error.message);
    expect(first).toBe({ claim: "store_failed", complete: "o-1", release: "no" }[turn as "claim"]);
    if (turn !== "claim") await expect(place(order)).rejects.toMatchObject({ code });
    store.advance({ minutes: 1 });
    expect(await place(order)).toBe("o-1");
    expect(run).toHaveBeenCalledTimes(turn === "claim" ? 1 : 2);
  });

  it("fails the next read", async () => {
    const store = testingStore();
    store.failNext("read");
    await expect(store.read("x", { consistent: true })).rejects.toMatchObject({
      code: "store_failed",
      reason: "access_denied",
      retryable: false,
    });
    expect(await store.read("x", { consistent: true })).toBeUndefined();
  });

  it("adds failures up, each with its reason; one that passes is tried again by the engine", async () => {
    const { store, run, place } = operation();
    store.failNext("complete", { reason: "throttled" });
    store.failNext("complete", { reason: "timeout" });
    expect(await place(order)).toBe("o-1");
    expect(await place(order)).toBe("o-1");
    expect(run).toHaveBeenCalledTimes(1);
  });

  it("carries a turn out whose response it loses", async () => {
    const { store, run, place } = operation();
    store.failNext("complete", { reason: "timeout", responseLost: true });
    expect(await place(order)).toBe("o-1");
    expect(store.records()).toMatchObject([{ status: "COMPLETED" }]);
    expect(await place(order)).toBe("o-1");
    expect(run).toHaveBeenCalledTimes(1);
  });

  it.each(["finish", "", undefined])("has no turn %j to fail", (turn) => {
    expect(() => testingStore().failNext(turn as never)).toThrow(
      expect.objectContaining({
        code: "config",
        message: expect.stringContaining(
          "allowed are 'issue', 'claim', 'complete', 'release', 'checkpoint', 'renew', 'commit', 'read'",
        ),
      }),
    );
  });

  it("lets a running call crash: the next one takes over, and nothing that the first still sends arrives", async () => {
    const { store, run, place } = operation();
    let id = "";
    let open: (value: unknown) => void = () => {};
    run.mockImplementationOnce(async () => {
      id = currentClaim().id ?? "";
      return new Promise((resolve) => (open = resolve));
    });
    run.mockImplementationOnce(async () => `attempt ${currentClaim().attempt}`);
    const first = place(order);
    await vi.waitFor(() => expect(id).not.toBe(""));
    await expect(place(order)).rejects.toMatchObject({ code: "in_progress" });
    store.crash(id);
    expect(await place(order)).toBe("attempt 2");
    const after = store.records();
    open("too late");
    expect(await first).toBe("too late");
    expect(store.records()).toStrictEqual(after);
    expect(await place(order)).toBe("attempt 2");
  });

  it("refuses to crash what is not running", async () => {
    const { store, place } = operation();
    expect(() => store.crash("place#nothing")).toThrow(config);
    await place(order);
    expect(() => store.crash(store.records()[0]?.id ?? "")).toThrow(
      expect.objectContaining({
        code: "config",
        message: expect.stringContaining("no record in progress has the id 'place#"),
      }),
    );
  });
});

describe("useStore()", () => {
  it("redirects every operation, also those that have run before, and back again", async () => {
    const { store: own, run, place } = operation();
    await place(order);
    const other = testingStore();
    const restore = useStore(other);
    await place(order);
    await place(order);
    expect(run).toHaveBeenCalledTimes(2);
    expect([own.records().length, other.records().length]).toStrictEqual([1, 1]);
    restore();
    await place(order);
    await place({ id: "o-2" });
    expect([own.records().length, other.records().length]).toStrictEqual([2, 1]);
    expect(run).toHaveBeenCalledTimes(3);
  });

  it("nests", async () => {
    const { store, place } = operation();
    const outer = testingStore();
    const inner = testingStore();
    const counts = () => [store, outer, inner].map((one) => one.records().length);
    const restoreOuter = useStore(outer);
    const restoreInner = useStore(inner);
    await place(order);
    expect(counts()).toStrictEqual([0, 0, 1]);
    restoreInner();
    await place(order);
    expect(counts()).toStrictEqual([0, 1, 1]);
    restoreOuter();
    await place(order);
    expect(counts()).toStrictEqual([1, 1, 1]);
  });

  it("lets a call that has begun end in the store that it began in", async () => {
    const { store, run, place } = operation();
    let open: (value: unknown) => void = () => {};
    run.mockImplementationOnce(() => new Promise((resolve) => (open = resolve)));
    const first = place(order);
    await vi.waitFor(() => expect(run).toHaveBeenCalled());
    const restore = useStore(memoryStore());
    open("done");
    await first;
    restore();
    expect(store.records()).toMatchObject([{ status: "COMPLETED" }]);
  });
});

describe("lambdaContext()", () => {
  it("is a Lambda's context whose time runs down from `remaining` to 0", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const context = lambdaContext({ remaining: { seconds: 3 }, functionName: "shop" });
      expect(context).toMatchObject({
        functionName: "shop",
        invokedFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:shop",
      });
      expect(context.getRemainingTimeInMillis()).toBe(3_000);
      vi.advanceTimersByTime(2_999);
      expect(context.getRemainingTimeInMillis()).toBe(1);
      vi.advanceTimersByTime(5_000);
      expect(context.getRemainingTimeInMillis()).toBe(0);
      expect(lambdaContext().getRemainingTimeInMillis()).toBe(30_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([0, { seconds: 0 }, "3s"])("refuses %j for its remaining time", (remaining) => {
    expect(() => lambdaContext({ remaining: remaining as never })).toThrow(
      expect.objectContaining({ code: "config", message: expect.stringContaining("remaining is") }),
    );
  });

  it("has the callbacks of Lambda's older runtimes, which do nothing", () => {
    const { done, fail, succeed } = lambdaContext();
    for (const callback of [done, fail, succeed]) expect(callback()).toBeUndefined();
  });
});
