import { describe, expect, it, vi } from "vitest";
import { isIdempotencyError } from "../../../src/index.ts";
import { codeOf, contextWith, type FrontEnd, gate, START, thrownBy } from "./kit.ts";
import { tablesBench } from "./tables.ts";

const UUID_5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const business = new Error("card declined");

/** Steps, and the keys that others are asked with. */
export function describeSteps(make: FrontEnd): void {
  describe("a step", () => {
    it("runs once over a failure and a takeover, under one downstream key", async () => {
      const one = tablesBench();
      const keys: string[] = [];
      const charge = vi.fn((key: string) => ({ charged: key }));
      const { fn, entered, open } = gate();
      const call = make(async (order, claim) => {
        keys.push(claim.keyFor("charge"));
        const charged = await claim.step("charge", ({ idempotencyKey }) => charge(idempotencyKey));
        if (claim.attempt === 1) throw business;
        if (claim.attempt === 2) await fn(order, claim);
        return { ...charged, attempt: claim.attempt };
      }, one.options);
      expect(await thrownBy(call({ id: "o-1" }))).toBe(business);
      const second = call({ id: "o-1" });
      second.catch(() => {});
      await entered;
      one.clock.set(START + 60_000);
      expect(await call({ id: "o-1" })).toStrictEqual({ charged: keys[0], attempt: 3 });
      expect(charge).toHaveBeenCalledTimes(1);
      expect(new Set(keys).size).toBe(1);
      expect(keys[0]).toMatch(UUID_5);
      open();
      expect(await second).toStrictEqual({ charged: keys[0], attempt: 3 });
    });

    it("has another downstream key in another operation and for another key", async () => {
      const one = tablesBench();
      const keyOf = (operation: string) =>
        make((_, claim) => [claim.keyFor("charge"), claim.keyFor("ship")], { ...one.options, operation });
      const keys = [
        ...((await keyOf("place")({ id: "o-1" })) as string[]),
        ...((await keyOf("place")({ id: "o-2" })) as string[]),
        ...((await keyOf("refund")({ id: "o-1" })) as string[]),
      ];
      expect(new Set(keys).size).toBe(6);
      one.clock.set(START + 25 * 3_600_000);
      expect(await keyOf("place")({ id: "o-1" })).toStrictEqual(keys.slice(0, 2));
    });

    it("may be wrapped around others that are idempotent themselves", async () => {
      const one = tablesBench();
      const inner = make((_, claim) => claim.id, { ...one.options, operation: "inner" });
      const outer = make((_, claim) => claim.step("inner", async () => (await inner({ id: "i-1" })) as string), {
        ...one.options,
        operation: "outer",
      });
      expect(await outer({ id: "o-1" })).toBe(await inner({ id: "i-1" }));
    });

    it("that was interrupted by a crash may be handled, and holds the key where it is not", async () => {
      const one = tablesBench();
      const stuck = gate();
      let handles = false;
      const call = make(async (order, claim) => {
        try {
          return await claim.step("charge", async () => String(await stuck.fn(order, claim)), { once: true });
        } catch (error) {
          if (handles && isIdempotencyError(error) && error.code === "step_interrupted") return `asked: ${error.step}`;
          throw error;
        }
      }, one.options);
      void call({ id: "o-1" }).catch(() => {});
      await stuck.entered;
      one.clock.set(START + 60_000);
      expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({ code: "step_interrupted", step: "charge" });
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
      one.clock.set(START + 120_000);
      handles = true;
      expect(await call({ id: "o-1" })).toBe("asked: charge");
      expect(await call({ id: "o-1" })).toBe("asked: charge");
    });

    it("may not write: a replayed one would lose it", async () => {
      const one = tablesBench();
      const codes: unknown[] = [];
      const call = make(async (_, claim) => {
        await claim.step("a", async () => {
          await Promise.resolve();
          codes.push(await codeOf((async () => claim.write())()), await codeOf(claim.commit([])));
          return 1;
        });
        claim.write();
        return "done";
      }, one.options);
      expect(await call({ id: "o-1" })).toBe("done");
      expect(codes).toStrictEqual(["config", "config"]);
    });

    it("just runs where nothing is claimed, under a random key", async () => {
      const one = tablesBench({ whenKeyMissing: "run" });
      const step = vi.fn(({ idempotencyKey }: { idempotencyKey: string }) => idempotencyKey);
      const call = make(async (_, claim) => {
        expect(claim).toMatchObject({ held: false, id: undefined, attempt: 1 });
        return [await claim.step("a", step), await claim.step("a", step), claim.keyFor("a"), claim.keyFor("a")];
      }, one.options);
      expect(new Set((await call({})) as string[]).size).toBe(4);
      expect(step).toHaveBeenCalledTimes(2);
      expect(one.store.items.size).toBe(0);
    });

    it("is refused under claimAt 'commit'", async () => {
      const one = tablesBench({ claimAt: "commit" });
      const step = vi.fn();
      const call = make((_, claim) => claim.step("a", step), one.options);
      expect(await codeOf(call({ id: "o-1" }, contextWith(30_000)))).toBe("config");
      expect(step).not.toHaveBeenCalled();
    });
  });
}
