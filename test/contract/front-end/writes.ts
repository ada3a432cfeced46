import { describe, expect, it, vi } from "vitest";
import { type CurrentClaim, IdempotencyOutcomeUnknownError, IdempotencyStoreError } from "../../../src/index.ts";
import { codeOf, contextWith, type FrontEnd, gate, over, START, thrownBy } from "./kit.ts";
import { count, put, putNew, tablesBench } from "./tables.ts";

const business = new Error("card declined");

/** Writes that commit with the result. */
export function describeWrites(make: FrontEnd): void {
  describe("writes", () => {
    it("commit with the result, once for all duplicates", async () => {
      const one = tablesBench();
      const call = make((order, claim) => {
        claim.write(putNew({ id: order.id }), count("total"));
        return { placed: order.id };
      }, one.options);
      const answers = await Promise.all([call({ id: "o-1" }), call({ id: "o-1" }).catch(() => ({ placed: "o-1" }))]);
      expect(answers).toStrictEqual([{ placed: "o-1" }, { placed: "o-1" }]);
      expect(await call({ id: "o-1" })).toStrictEqual({ placed: "o-1" });
      expect(one.tables.items("orders")).toStrictEqual([{ id: "o-1" }, { id: "total", n: 1 }]);
      expect(one.statuses()).toStrictEqual(["COMPLETED"]);
    });

    it.each([
      ["throws", () => Promise.reject(business), {}],
      ["does not know its outcome", () => Promise.reject(new IdempotencyOutcomeUnknownError()), {}],
      ["returns what is not to be remembered", () => 503, { remember: () => "release" as const }],
      ["returns what holds the key", () => 202, { remember: () => "hold" as const }],
    ])("are not carried out where the function %s", async (_, end, options) => {
      const one = tablesBench(options);
      const call = make((_, claim) => {
        claim.write(count("o-1"));
        return end();
      }, one.options);
      await call({ id: "o-1" }).catch(() => {});
      expect(one.tables.items("orders")).toStrictEqual([]);
      expect(one.statuses()).not.toContain("COMPLETED");
    });

    it("whose condition fails are a typed error, and the next call runs", async () => {
      const one = tablesBench();
      one.tables.put("orders", { id: "taken", by: "somebody" });
      const call = make((_, claim) => {
        claim.write(count("o-1"), putNew({ id: "taken" }));
        return "done";
      }, one.options);
      expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({
        ...{ name: "IdempotencyWriteConflictError", code: "write_conflict", statusCode: 409, index: 1 },
        ...{ reason: "ConditionalCheckFailed", item: { id: "taken", by: "somebody" } },
      });
      expect(one.tables.items("orders")).toHaveLength(1);
      expect(one.statuses()).toStrictEqual([]);
    });

    it("of which nobody knows whether they were carried out are never answered as done", async () => {
      const one = tablesBench();
      const store = over(one.store, {
        commit: () =>
          Promise.reject(new IdempotencyStoreError({ reason: "access_denied", detail: "x", outcome: "unknown" })),
      });
      const call = make(
        (_, claim) => {
          claim.write(count("o-1"));
          return "done";
        },
        { ...one.options, store },
      );
      expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({ code: "store_failed", outcome: "unknown" });
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
      expect(one.turns()).toContain("held");
    });

    it("of a late owner are not carried out; it gets the winner's answer", async () => {
      const one = tablesBench();
      const slow = gate();
      const call = make(async (order, claim) => {
        claim.write(count(`attempt ${claim.attempt}`));
        if (claim.attempt === 1) await slow.fn(order, claim);
        return `attempt ${claim.attempt}`;
      }, one.options);
      const first = call({ id: "o-1" });
      await slow.entered;
      one.clock.set(START + 60_000);
      expect(await call({ id: "o-1" })).toBe("attempt 2");
      slow.open();
      expect(await first).toBe("attempt 2");
      expect(one.tables.items("orders")).toStrictEqual([{ id: "attempt 2", n: 1 }]);
    });

    it("with a result that cannot be stored are not carried out, and the next call runs", async () => {
      const one = tablesBench();
      const fn = vi.fn((_: unknown, claim: CurrentClaim): unknown => {
        claim.write(count("o-1"));
        return new Map();
      });
      const call = make(fn, one.options);
      for (const _ of [1, 2]) {
        expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({ code: "result_unstorable", carriedOut: false });
      }
      expect(fn).toHaveBeenCalledTimes(2);
      expect(one.tables.items("orders")).toStrictEqual([]);
    });

    it("given after the function has returned are refused", async () => {
      const one = tablesBench();
      let kept: CurrentClaim | undefined;
      await make((_, claim) => {
        kept = claim;
        return "done";
      }, one.options)({ id: "o-1" });
      expect(await codeOf((async () => kept?.write(count("late")))())).toBe("config");
      expect(await codeOf((async () => kept?.commit([count("late")]))())).toBe("config");
      expect(one.tables.items("orders")).toStrictEqual([]);
    });

    it("leave seven seconds of the Lambda's time for their commit", async () => {
      const one = tablesBench();
      let left: number[] = [];
      await make((_, claim) => {
        left = [claim.remainingTimeInMillis()];
        claim.write(count("o-1"));
        left.push(claim.remainingTimeInMillis());
        return "done";
      }, one.options)({ id: "o-1" }, contextWith(30_000));
      expect(left[0]).toBeGreaterThan(28_000);
      expect(left[1]).toBeLessThanOrEqual(23_000);
      expect(left[1]).toBeGreaterThan(21_000);
    });

    it("need tables", async () => {
      const { commit: _, ...without } = over(tablesBench().store, {});
      const call = make((_, claim) => claim.write(count("o-1")), { ...tablesBench().options, store: without });
      expect(await codeOf(call({ id: "o-1" }))).toBe("config");
    });
  });

  describe("claim.commit()", () => {
    it("commits at once and says how each write came out; its result is the operation's answer", async () => {
      const one = tablesBench();
      const call = make(async (order, claim) => {
        const { committed, outcomes } = await claim.commit([putNew({ id: order.id })], { result: { committed: true } });
        expect([committed, outcomes]).toStrictEqual([true, [{ outcome: "written" }]]);
        return { committed: "not this" };
      }, one.options);
      expect(await call({ id: "o-1" })).toStrictEqual({ committed: true });
      expect(await call({ id: "o-1" })).toStrictEqual({ committed: true });
      expect(one.tables.items("orders")).toHaveLength(1);
    });

    it("answers a condition that fails with a value, and the claim goes on", async () => {
      const one = tablesBench();
      one.tables.put("orders", { id: "taken" });
      const call = make(async (_, claim) => {
        const { committed, outcomes } = await claim.commit([putNew({ id: "taken" })], { result: "taken" });
        return { committed, outcomes };
      }, one.options);
      const answer = { committed: false, outcomes: [{ outcome: "refused", item: { id: "taken" } }] };
      expect(await call({ id: "o-1" })).toStrictEqual(answer);
      expect(await call({ id: "o-1" })).toStrictEqual(answer);
    });

    it("whose outcome nobody knows is not answered as done, though the function swallows it", async () => {
      const one = tablesBench();
      const store = over(one.store, {
        commit: () =>
          Promise.reject(new IdempotencyStoreError({ reason: "access_denied", detail: "x", outcome: "unknown" })),
      });
      const call = make(
        async (_, claim) => {
          await claim.commit([count("o-1")]).catch(() => {});
          return "all is well";
        },
        { ...one.options, store },
      );
      expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({ code: "store_failed", outcome: "unknown" });
    });

    it("that is not awaited is waited for before the call is answered", async () => {
      const one = tablesBench();
      const call = make((_, claim) => {
        void claim.commit([count("o-1")], { result: "committed" });
        return "returned";
      }, one.options);
      expect(await call({ id: "o-1" })).toBe("committed");
      expect(one.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
    });
  });

  describe("writes where nothing is claimed", () => {
    const unheld = () => tablesBench({ whenKeyMissing: "run" });

    it("commit alone when the function has returned, each time", async () => {
      const one = unheld();
      const call = make((_, claim) => {
        claim.write(count("o-1"));
        return "done";
      }, one.options);
      expect([await call({}), await call({})]).toStrictEqual(["done", "done"]);
      expect(one.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 2 }]);
      expect(one.store.items.size).toBe(0);
    });

    it("are not carried out where it throws, and not taken any more afterwards", async () => {
      const one = unheld();
      let kept: CurrentClaim | undefined;
      const call = make((_, claim) => {
        kept = claim;
        claim.write(count("o-1"));
        throw business;
      }, one.options);
      expect(await thrownBy(call({}))).toBe(business);
      expect(one.tables.items("orders")).toStrictEqual([]);
      expect(await codeOf((async () => kept?.write(count("late")))())).toBe("config");
    });

    it("whose condition fails are a typed error", async () => {
      const one = unheld();
      one.tables.put("orders", { id: "taken" });
      const call = make((_, claim) => claim.write(putNew({ id: "taken" })), one.options);
      expect(await thrownBy(call({}))).toMatchObject({ code: "write_conflict", index: 0 });
    });

    // Seen in review: what had been collected was carried out by commit(), and again at the function's end.
    it("are carried out once by commit(), with those that were collected", async () => {
      const one = unheld();
      const call = make(async (_, claim) => {
        claim.write(count("o-1"));
        expect(await claim.commit([count("o-2")])).toStrictEqual({
          committed: true,
          outcomes: [{ outcome: "written" }],
        });
        return "done";
      }, one.options);
      expect(await call({})).toBe("done");
      expect(one.tables.items("orders")).toStrictEqual([
        { id: "o-1", n: 1 },
        { id: "o-2", n: 1 },
      ]);
    });

    it("that are refused by commit() can be committed otherwise", async () => {
      const one = unheld();
      one.tables.put("orders", { id: "taken" });
      const call = make(async (_, claim) => {
        const { committed } = await claim.commit([putNew({ id: "taken" })]);
        claim.write(put({ id: "another" }));
        return committed;
      }, one.options);
      expect(await call({})).toBe(false);
      expect(one.tables.get("orders", { id: "another" })).toBeDefined();
    });
  });

  describe("claimAt 'commit'", () => {
    it("commits one of racing duplicates; the others replay its result", async () => {
      const one = tablesBench({ claimAt: "commit" });
      let runs = 0;
      const call = make(async (_, claim) => {
        const run = ++runs;
        claim.write(count("o-1"));
        await Promise.resolve();
        return `run ${run}`;
      }, one.options);
      const answers = await Promise.all(Array.from({ length: 5 }, () => call({ id: "o-1" })));
      expect(new Set(answers).size).toBe(1);
      expect(await call({ id: "o-1" })).toBe(answers[0]);
      expect(one.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
    });

    it("leaves nothing behind where the function throws", async () => {
      const one = tablesBench({ claimAt: "commit" });
      const call = make((_, claim) => {
        claim.write(count("o-1"));
        throw business;
      }, one.options);
      expect(await thrownBy(call({ id: "o-1" }))).toBe(business);
      expect([one.store.items.size, one.tables.items("orders").length]).toStrictEqual([0, 0]);
    });

    it("refuses another request under the same key", async () => {
      const one = tablesBench({ claimAt: "commit", fingerprint: "amount" });
      const call = make((_, claim) => {
        claim.write(count("o-1"));
        return "done";
      }, one.options);
      await call({ id: "o-1", amount: 1 });
      expect(await codeOf(call({ id: "o-1", amount: 2 }))).toBe("key_reused");
      expect(one.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
    });
  });
}
