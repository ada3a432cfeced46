import { describe, expect, it, vi } from "vitest";
import { bench, bytesOf, codeOf, contextWith, type FrontEnd, gate, onStandingClock, START, thrownBy } from "./kit.ts";

const lockOf = (item: Record<string, unknown>): number => Number((item["lockedUntil"] as { N: string }).N);

/** Locks: how long they hold, and what becomes of an owner that outlives its own. */
export function describeLocks(make: FrontEnd): void {
  describe("the lock", () => {
    it.each([
      ["the Lambda's remaining time and five seconds", contextWith(30_000), 35_000],
      ["the same for a long one", contextWith(900_000), 905_000],
      ["one minute without a context (bad input: no Lambda context)", undefined, 60_000],
      ["one minute where the context knows no time", { functionName: "shop" }, 60_000],
      ["one minute where the remaining time is NaN (P11)", contextWith(Number.NaN), 60_000],
      ["one minute where the remaining time is no number (P11)", contextWith("soon" as never), 60_000],
      ["one minute where the remaining time is infinite (P11)", contextWith(Number.POSITIVE_INFINITY), 60_000],
    ])("holds for %s", async (_, context, millis) => {
      const one = bench();
      const call = make(() => {
        expect(lockOf(one.item())).toBe(START + millis);
        expect(Number((one.item()["expiresAt"] as { N: string }).N)).toBeGreaterThanOrEqual(
          (START + millis) / 1_000 + 60,
        );
        return "done";
      }, one.options);
      expect(await call({ id: "o-1" }, context)).toBe("done");
      expect(one.item()["lockedUntil"]).toBeUndefined();
    });

    it.each([
      ["the function's time ends with it where nobody knows the Lambda's", undefined, 19_500],
      ["it is renewed until the Lambda's end", contextWith(900_000), 899_500],
      ["the function's time ends with the Lambda where that is sooner", contextWith(10_000), 9_500],
    ])("holds for lockFor where it is given, and %s", async (_, context, millis) => {
      const one = bench({ lockFor: { seconds: 20 } });
      const call = make((_, claim) => {
        expect(lockOf(one.item())).toBe(START + 20_000);
        expect(claim.remainingTimeInMillis()).toBeLessThanOrEqual(millis);
        expect(claim.remainingTimeInMillis()).toBeGreaterThan(millis - 5_000);
        return "done";
      }, one.options);
      expect(await call({ id: "o-1" }, context)).toBe("done");
    });

    it.each([0, -1, -30_000, 500])(
      "is not taken with %d ms left: the function does not run (P11; bad input: remaining time 0 or negative)",
      async (remaining) => {
        const fn = vi.fn(() => "done");
        const one = bench();
        expect(await thrownBy(make(fn, one.options)({ id: "o-1" }, contextWith(remaining)))).toMatchObject({
          name: "IdempotencyNoTimeLeftError",
          code: "no_time_left",
          statusCode: 503,
          headers: { "Retry-After": "1" },
        });
        expect(fn).not.toHaveBeenCalled();
        expect(one.store.items.size).toBe(0);
        expect(one.turns()).toStrictEqual(["refused"]);
      },
    );

    it(
      "is given back where the claim itself took all the time",
      onStandingClock(async () => {
        const fn = vi.fn(() => "done");
        const one = bench({}, (store) => ({
          ...store,
          claim: (request) => {
            vi.advanceTimersByTime(2_000);
            return store.claim(request);
          },
        }));
        expect(await codeOf(make(fn, one.options)({ id: "o-1" }, contextWith(2_000)))).toBeOneOf([
          "no_time_left",
          "store_failed",
        ]);
        expect(fn).not.toHaveBeenCalled();
        expect(one.store.items.size).toBe(0);
      }),
    );

    it("holds to its last millisecond and not longer (P23)", async () => {
      const { fn, entered, open } = gate();
      const attempts: number[] = [];
      const one = bench({ lockFor: { minutes: 1 } });
      const call = make((order, claim) => {
        attempts.push(claim.attempt);
        return claim.attempt === 1 ? fn(order, claim) : "second";
      }, one.options);
      const first = call({ id: "o-1" });
      await entered;
      one.clock.set(START + 59_999);
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
      one.clock.set(START + 60_000);
      expect(await call({ id: "o-1" })).toBe("second");
      expect(attempts).toStrictEqual([1, 2]);
      open();
      await first;
    });

    it("that has lapsed is taken over by one of many", async () => {
      const { fn, entered, open } = gate();
      let runs = 0;
      const one = bench();
      const call = make((order, claim) => (++runs === 1 ? fn(order, claim) : "second"), one.options);
      const first = call({ id: "o-1" });
      await entered;
      one.clock.set(START + 60_000);
      const codes = await Promise.all(
        Array.from({ length: 20 }, () => call({ id: "o-1" }).catch((error) => error.code)),
      );
      expect(codes.filter((code) => code === "second" || code === "in_progress")).toHaveLength(20);
      expect(codes).toContain("second");
      expect(runs).toBe(2);
      open();
      await first;
    });
  });

  describe("an owner that outlives its lock (bad input: lock lapsed, first owner still running)", () => {
    /** The first call runs; its lock lapses; the second takes over and has completed, or still runs. */
    async function overtaken(second: () => unknown) {
      const { fn, entered, open, fail } = gate();
      const one = bench();
      const run = vi.fn(fn);
      let runs = 0;
      const call = make((order, claim) => (++runs === 1 ? run(order, claim) : second()), one.options);
      const first = call({ id: "o-1" });
      first.catch(() => {});
      await entered;
      one.clock.set(START + 60_000);
      return { one, call, first, open, fail, runs: () => runs };
    }

    it("and fails late changes nothing (P1)", async () => {
      const { one, call, first, fail, runs } = await overtaken(() => "second");
      expect(await call({ id: "o-1" })).toBe("second");
      const before = bytesOf(one.item());
      const error = new Error("too late");
      fail(error);
      expect(await thrownBy(first)).toBe(error);
      expect(bytesOf(one.item())).toBe(before);
      expect(await call({ id: "o-1" })).toBe("second");
      expect(runs()).toBe(2);
      expect(one.turns().slice(-2)).toStrictEqual(["claim_lost", "replayed"]);
    });

    it("and fails late does not free the key under its successor (P1)", async () => {
      const successor = gate();
      const { one, call, first, fail, runs } = await overtaken(() => successor.fn({ id: "second" }, {} as never));
      const second = call({ id: "o-1" });
      await successor.entered;
      const before = bytesOf(one.item());
      fail(new Error("too late"));
      await thrownBy(first);
      expect(bytesOf(one.item())).toBe(before);
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
      successor.open();
      expect(await second).toStrictEqual({ placed: "second" });
      expect(runs()).toBe(2);
    });

    it("and succeeds late gets the winner's answer, whose record stays (P2)", async () => {
      const { one, call, first, open, runs } = await overtaken(() => "second");
      expect(await call({ id: "o-1" })).toBe("second");
      const before = bytesOf(one.item());
      open();
      expect(await first).toBe("second");
      expect(bytesOf(one.item())).toBe(before);
      expect(await call({ id: "o-1" })).toBe("second");
      expect(runs()).toBe(2);
    });

    it("and succeeds late is told so where its successor still runs (P2)", async () => {
      const successor = gate();
      const { one, call, first, open } = await overtaken(() => successor.fn({ id: "second" }, {} as never));
      const second = call({ id: "o-1" });
      await successor.entered;
      const before = bytesOf(one.item());
      open();
      expect(await thrownBy(first)).toMatchObject({
        name: "IdempotencyClaimLostError",
        code: "claim_lost",
        statusCode: 409,
        headers: { "Retry-After": "1" },
      });
      expect(bytesOf(one.item())).toBe(before);
      successor.open();
      expect(await second).toStrictEqual({ placed: "second" });
      expect(await call({ id: "o-1" })).toStrictEqual({ placed: "second" });
    });

    it("and succeeds late, before anybody has taken over, still has its result stored", async () => {
      const { one, call, first, open, runs } = await overtaken(() => "second");
      open();
      expect(await first).toStrictEqual({ placed: "o-1" });
      expect(one.item()).toMatchObject({ status: { S: "COMPLETED" } });
      expect(await call({ id: "o-1" })).toStrictEqual({ placed: "o-1" });
      expect(runs()).toBe(1);
    });
  });
}
