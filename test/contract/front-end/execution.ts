import { describe, expect, it, vi } from "vitest";
import { isIdempotencyError } from "../../../src/index.ts";
import { bench, bytesOf, codeOf, contextWith, type FrontEnd, gate, type Order, thrownBy } from "./kit.ts";

/** One runs, all get its answer. */
export function describeExecution(make: FrontEnd): void {
  describe("duplicates", () => {
    it("runs the first call, and answers the second with an equal result", async () => {
      const fn = vi.fn((order: Order) => ({
        placed: order.id,
        lines: [{ sku: "a", gift: undefined }],
        total: 12.5,
        note: null,
      }));
      const { options, turns, store } = bench();
      const call = make(fn, options);
      const first = await call({ id: "o-1", amount: 5 }, contextWith(30_000));
      const second = await call({ id: "o-1", amount: 5 }, contextWith(30_000));
      expect(JSON.stringify(second)).toBe(JSON.stringify(first));
      expect(second).toEqual({ placed: "o-1", lines: [{ sku: "a" }], total: 12.5, note: null });
      expect(fn).toHaveBeenCalledTimes(1);
      expect(turns()).toStrictEqual(["claimed", "completed", "replayed"]);
      expect(store.items.size).toBe(1);
    });

    it.each([undefined, null, false, 0, ""])(
      'replays the result %j exactly (P7; bad input: returns `undefined`, `null`, `false`, `0`, `""`)',
      async (result) => {
        const fn = vi.fn(() => result);
        const call = make(fn, bench().options);
        expect(await call({ id: "o-1" })).toBe(result);
        expect(await call({ id: "o-1" })).toBe(result);
        expect(await call({ id: "o-1" })).toBe(result);
        expect(fn).toHaveBeenCalledTimes(1);
      },
    );

    it("runs once for each key, and the number 1 and the text '1' are two keys", async () => {
      const fn = vi.fn((order: Order) => [order.id]);
      const call = make(fn, bench().options);
      for (const id of ["o-1", "o-2", 1, "1"]) expect(await call({ id })).toStrictEqual([id]);
      for (const id of ["o-1", "o-2", 1, "1"]) expect(await call({ id })).toStrictEqual([id]);
      expect(fn).toHaveBeenCalledTimes(4);
    });

    it.each([0, false])("takes %j for a key (P15)", async (id) => {
      const fn = vi.fn(() => "done");
      const { options, store } = bench();
      const call = make(fn, options);
      await call({ id });
      await call({ id });
      expect(fn).toHaveBeenCalledTimes(1);
      expect(store.items.size).toBe(1);
    });

    it("runs once and refuses the others until the first is done (bad input: 100 equal requests at once)", async () => {
      const { fn, entered, open } = gate();
      const spy = vi.fn(fn);
      const call = make(spy, bench().options);
      const calls = Array.from({ length: 100 }, () => call({ id: "o-1" }).catch((error: unknown) => error));
      await entered;
      await vi.waitFor(async () => expect(await settled(calls)).toBe(99));
      open();
      const answers = await Promise.all(calls);
      expect(answers.filter((answer) => !isIdempotencyError(answer))).toStrictEqual([{ placed: "o-1" }]);
      expect(answers.filter((answer) => isIdempotencyError(answer) && answer.code === "in_progress")).toHaveLength(99);
      expect(await call({ id: "o-1" })).toStrictEqual({ placed: "o-1" });
      expect(spy).toHaveBeenCalledTimes(1);
    });

    it("refuses a duplicate and leaves the first's record alone (P3; bad input: reused while the first runs)", async () => {
      const { fn, entered, open } = gate();
      const spy = vi.fn(fn);
      const one = bench();
      const call = make(spy, one.options);
      const first = call({ id: "o-1" }, contextWith(30_000));
      await entered;
      const before = bytesOf(one.item());
      for (let again = 0; again < 3; again++) {
        expect(await thrownBy(call({ id: "o-1" }, contextWith(30_000)))).toMatchObject({
          name: "IdempotencyInProgressError",
          code: "in_progress",
          statusCode: 409,
          expose: true,
          headers: { "Retry-After": "2" },
          retryAfter: 2,
        });
        expect(bytesOf(one.item())).toBe(before);
      }
      open();
      expect(await first).toStrictEqual({ placed: "o-1" });
      expect(await call({ id: "o-1" })).toStrictEqual({ placed: "o-1" });
      expect(spy).toHaveBeenCalledTimes(1);
    });

    it("says to come back in 1 second where the lock ends sooner than that", async () => {
      const { fn, entered, open } = gate();
      const one = bench({ lockFor: { seconds: 10 } });
      const call = make(fn, one.options);
      const first = call({ id: "o-1" });
      await entered;
      one.clock.set(one.clock.now() + 9_500);
      expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({
        code: "in_progress",
        retryAfter: 1,
        headers: { "Retry-After": "1" },
      });
      open();
      await first;
    });

    it("runs again once the record has expired (bad input: expired but still there)", async () => {
      const fn = vi.fn(() => "done");
      const one = bench({ expiresAfter: { minutes: 10 } });
      const call = make(fn, one.options);
      await call({ id: "o-1" });
      one.clock.set(one.clock.now() + 600_000 - 1);
      await call({ id: "o-1" });
      expect(fn).toHaveBeenCalledTimes(1);
      one.clock.set(one.clock.now() + 1);
      expect(one.store.items.size).toBe(1);
      await call({ id: "o-1" });
      expect(fn).toHaveBeenCalledTimes(2);
    });
  });

  describe("another request under the same key", () => {
    it("is refused when the first has completed, and the record's bytes stay (P4)", async () => {
      const fn = vi.fn((order: Order) => ({ paid: order.amount }));
      const one = bench();
      const call = make(fn, one.options);
      await call({ id: "o-1", amount: 5 });
      const before = bytesOf(one.item());
      for (let again = 0; again < 3; again++) {
        expect(await thrownBy(call({ id: "o-1", amount: 6 }))).toMatchObject({
          name: "IdempotencyKeyReusedError",
          code: "key_reused",
          statusCode: 422,
          expose: true,
        });
        expect(bytesOf(one.item())).toBe(before);
      }
      expect(await call({ id: "o-1", amount: 5 })).toStrictEqual({ paid: 5 });
      expect(fn).toHaveBeenCalledTimes(1);
    });

    it("is refused while the first runs, and after its lock has lapsed", async () => {
      const { fn, entered, open } = gate();
      const one = bench({ lockFor: { minutes: 1 } });
      const call = make(fn, one.options);
      const first = call({ id: "o-1", amount: 5 });
      await entered;
      const before = bytesOf(one.item());
      expect(await codeOf(call({ id: "o-1", amount: 6 }))).toBe("key_reused");
      one.clock.set(one.clock.now() + 61_000);
      expect(await codeOf(call({ id: "o-1", amount: 6 }))).toBe("key_reused");
      expect(bytesOf(one.item())).toBe(before);
      open();
      expect(await first).toStrictEqual({ placed: "o-1" });
    });
  });

  describe("what the function does to its values (bad input: mutates its event, or the returned result afterwards)", () => {
    it("cannot change the key by mutating the event", async () => {
      const fn = vi.fn((order: Order) => {
        Object.assign(order, { id: "changed", amount: 99 });
        return "done";
      });
      const { options, store } = bench();
      const call = make(fn, options);
      await call({ id: "o-1", amount: 5 });
      expect(await call({ id: "o-1", amount: 5 })).toBe("done");
      expect(fn).toHaveBeenCalledTimes(1);
      expect(await call({ id: "changed", amount: 99 })).toBe("done");
      expect(fn).toHaveBeenCalledTimes(2);
      expect(store.items.size).toBe(2);
    });

    it("cannot change the stored result by mutating it afterwards", async () => {
      const result = { lines: ["a"] };
      const call = make(() => result, bench().options);
      const first = (await call({ id: "o-1" })) as typeof result;
      first.lines.push("b");
      const second = (await call({ id: "o-1" })) as typeof result;
      expect(second).toStrictEqual({ lines: ["a"] });
      second.lines.push("c");
      expect(await call({ id: "o-1" })).toStrictEqual({ lines: ["a"] });
    });

    it("is handed the event itself, with the claim beside it", async () => {
      const event: Order = { id: "o-1" };
      const call = make((order, claim) => {
        expect(order).toBe(event);
        expect(claim).toMatchObject({ held: true, attempt: 1 });
        expect(claim.id).toMatch(/^place(\.place)?#[\w-]{43}$/);
        expect(claim.signal.aborted).toBe(false);
        expect(claim.remainingTimeInMillis()).toBeGreaterThan(29_000);
        expect(claim.remainingTimeInMillis()).toBeLessThanOrEqual(29_500);
        return "seen";
      }, bench().options);
      expect(await call(event, contextWith(30_000))).toBe("seen");
    });
  });

  it("keeps two operations that share a store apart, also at the same time (P8)", async () => {
    const one = bench();
    const charge = make(async (order) => ({ charged: order.id }), { ...one.options, operation: "charge" });
    const refund = make(async (order) => ({ refunded: order.id }), { ...one.options, operation: "refund" });
    const order = { id: "o-1", amount: 5 };
    expect(await Promise.all([charge(order), refund(order)])).toStrictEqual([{ charged: "o-1" }, { refunded: "o-1" }]);
    expect(await Promise.all([charge(order), refund(order)])).toStrictEqual([{ charged: "o-1" }, { refunded: "o-1" }]);
    expect(one.store.items.size).toBe(2);
  });
}

async function settled(calls: readonly Promise<unknown>[]): Promise<number> {
  const pending = Symbol("pending");
  const states = await Promise.all(calls.map((call) => Promise.race([call, Promise.resolve(pending)])));
  return states.filter((state) => state !== pending).length;
}
