import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { idempotent, memoryStore } from "lambda-once";
import { describe, expect, it, vi } from "vitest";
import { json } from "../../src/codec/json.ts";
import type { CompleteRequest, IdempotencyStore } from "../../src/core/store.ts";
import { ceilSeconds, epochMillis } from "../../src/core/time.ts";
import { cachedStore } from "../../src/lambda/cached-store.ts";
import { counted } from "../contract/front-end/kit.ts";
import { START } from "../contract/requests.ts";
import { describeStore, handClock } from "../contract/store.ts";

describeStore("a store with a cache before it", async () => {
  const clock = handClock(START);
  const memory = memoryStore({ clock });
  return {
    store: cachedStore(memory, json(), { entries: 1_000, bytes: 10_000_000 }),
    clock,
    seed: async (item) => {
      const { id } = item;
      if (id !== undefined && "S" in id) memory.items.set(id.S, structuredClone(item));
    },
    raw: async (id) => structuredClone(memory.items.get(id)),
  };
});

/** An operation with a cache over a counted store on a clock to move. */
function cached(more: Record<string, unknown> = {}, limits = { entries: 100, bytes: 1_000_000 }) {
  let now = 1_700_000_000_000;
  const requests: string[] = [];
  const memory = memoryStore({ clock: { now: () => epochMillis(now) } });
  const fn = vi.fn(async (order: { id: string; who?: string; amount?: number }) => ({
    placed: order.id,
    items: [1, 2],
  }));
  const place = idempotent(fn, {
    store: counted(memory, requests),
    operation: "place",
    key: "id",
    cache: limits,
    ...more,
  });
  return {
    fn,
    place,
    memory,
    advance: (millis: number) => {
      now += millis;
    },
    asked: () => requests.splice(0),
  };
}

describe("the cache of completed results", () => {
  it("answers what this process has completed without a request", async () => {
    const { place, fn, asked } = cached();
    const first = await place({ id: "o-1" });
    expect(asked()).toStrictEqual(["claim", "complete"]);
    expect(await place({ id: "o-1" })).toStrictEqual(first);
    expect(asked()).toStrictEqual([]);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it("answers what another process has completed without a request from the second replay on", async () => {
    const one = cached();
    await one.place({ id: "o-1" });
    const requests: string[] = [];
    const other = idempotent(one.fn, {
      store: counted(one.memory, requests),
      operation: "place",
      key: "id",
      cache: { entries: 10, bytes: 10_000 },
    });
    await other({ id: "o-1" });
    expect(requests.splice(0)).toStrictEqual(["claim"]);
    await other({ id: "o-1" });
    expect(requests).toStrictEqual([]);
    expect(one.fn).toHaveBeenCalledTimes(1);
  });

  it("gives each caller a value of its own to change", async () => {
    const { place } = cached();
    const first = await place({ id: "o-1" });
    first.items.push(3);
    const second = await place({ id: "o-1" });
    second.items.push(4);
    expect((await place({ id: "o-1" })).items).toStrictEqual([1, 2]);
  });

  it("answers from a compressed result as from any other", async () => {
    const { place, fn, asked } = cached();
    const items = Array.from({ length: 2_000 }, (_, at) => at);
    fn.mockResolvedValueOnce({ placed: "o-1", items });
    await place({ id: "o-1" });
    asked();
    expect(await place({ id: "o-1" })).toStrictEqual({ placed: "o-1", items });
    expect(asked()).toStrictEqual([]);
  });

  it("is bound to the principal", async () => {
    const { place, fn, asked } = cached({ principal: "who" });
    await place({ id: "o-1", who: "a" });
    await place({ id: "o-1", who: "b" });
    expect(fn).toHaveBeenCalledTimes(2);
    asked();
    await place({ id: "o-1", who: "b" });
    expect(asked()).toStrictEqual([]);
  });

  it("answers no other request under the same key", async () => {
    const { place, asked } = cached({ fingerprint: "amount" });
    await place({ id: "o-1", amount: 1 });
    asked();
    await expect(place({ id: "o-1", amount: 2 })).rejects.toMatchObject({ code: "key_reused" });
    expect(asked()).toStrictEqual(["claim"]);
  });

  it("refuses a duplicate where results are not replayed", async () => {
    const { place, asked } = cached({ whenCompleted: "reject" });
    await place({ id: "o-1" });
    asked();
    await expect(place({ id: "o-1" })).rejects.toMatchObject({ code: "duplicate" });
    expect(asked()).toStrictEqual([]);
  });

  it("ends with the record", async () => {
    const { place, fn, advance } = cached({ expiresAfter: { seconds: 100 } });
    await place({ id: "o-1" });
    advance(99_000);
    await place({ id: "o-1" });
    expect(fn).toHaveBeenCalledTimes(1);
    advance(2_000);
    await place({ id: "o-1" });
    expect(fn).toHaveBeenCalledTimes(2);
  });

  it("is used with lookup 'never' as well", async () => {
    const { place, asked } = cached({ lookup: "never" });
    await place({ id: "o-1" });
    asked();
    await place({ id: "o-1" });
    expect(asked()).toStrictEqual([]);
  });

  it("keeps no failure and nothing that was released", async () => {
    const { place, fn, asked } = cached();
    fn.mockRejectedValueOnce(new Error("no"));
    await expect(place({ id: "o-1" })).rejects.toThrow("no");
    asked();
    await place({ id: "o-1" });
    expect(asked()).toStrictEqual(["read", "claim", "complete"]);
  });

  it.each([
    ["entries", { entries: 2, bytes: 1_000_000 }],
    ["bytes", { entries: 100, bytes: 800 }],
  ])("is bounded by %s: what was not asked for longest goes first", async (_, limits) => {
    const { place, asked } = cached({ lookup: "never" }, limits);
    await place({ id: "o-1" });
    await place({ id: "o-2" });
    await place({ id: "o-1" });
    await place({ id: "o-3" });
    asked();
    await place({ id: "o-1" });
    await place({ id: "o-3" });
    expect(asked()).toStrictEqual([]);
    await place({ id: "o-2" });
    expect(asked()).toStrictEqual(["claim"]);
  });

  it("keeps no result that is larger than all of it", async () => {
    const { place, asked } = cached({ lookup: "never" }, { entries: 10, bytes: 100 });
    await place({ id: "o-1" });
    asked();
    await place({ id: "o-1" });
    expect(asked()).toStrictEqual(["claim"]);
  });

  // seen by a reviewer: whatever steps a claim had recorded was kept, outside of every limit
  it.each(["complete", "commit"] as const)("keeps nothing of a claim after its %s", async (verb) => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const base = memoryStore();
    let steps: WeakRef<object> | undefined;
    const claiming: IdempotencyStore = {
      ...base,
      async claim(request) {
        const answer = await base.claim(request);
        if (answer.outcome !== "claimed") throw new Error("not claimed");
        const large = { big: { encoding: "json", data: "x".repeat(400_000) } };
        steps = new WeakRef(large);
        return { ...answer, record: { ...answer.record, steps: large } };
      },
      complete: async () => ({ outcome: "written" }),
      commit: async () => ({ outcome: "written" }),
    };
    const store = cachedStore(claiming, json(), { entries: 1_000, bytes: 10_000 });
    const now = epochMillis(1_700_000_000_000);
    const ends = { lockedUntil: epochMillis(now + 1_000), expiresAt: ceilSeconds(epochMillis(now + 9_000)) };
    await store.claim({ id: "a", owner: "me", now, fingerprint: undefined, ...ends });
    const { expiresAt } = ends;
    const done: CompleteRequest = {
      ...{
        id: "a",
        owner: "me",
        status: "COMPLETED",
        result: { encoding: "json", data: "1" },
        completedAt: now,
        expiresAt,
      },
    };
    if (verb === "complete") await store.complete(done);
    else await store.commit?.({ record: { from: "claim", ...done }, actions: [], token: "t" });
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(steps?.deref()).toBeUndefined();
  });
});
