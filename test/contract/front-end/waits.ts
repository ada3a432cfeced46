import { describe, expect, it, vi } from "vitest";
import { codeOf, contextWith, type FrontEnd, gate, over } from "./kit.ts";
import { tablesBench } from "./tables.ts";

/** `whenInProgress: 'wait'`. Their pauses are real ones, of 50 milliseconds or so. */
export function describeWaits(make: FrontEnd): void {
  describe("a call that waits", () => {
    it("replays the result of the one that runs", async () => {
      const one = tablesBench({ whenInProgress: "wait" });
      const { fn, entered, open } = gate();
      const run = vi.fn(fn);
      let reads = 0;
      const store = over(one.store, {
        read(id, options) {
          if (++reads === 2) open();
          return one.store.read(id, options);
        },
      });
      const call = make(run, { ...one.options, store, lookup: "never" });
      const first = call({ id: "o-1" });
      await entered;
      expect(await call({ id: "o-1" }, contextWith(30_000))).toStrictEqual({ placed: "o-1" });
      expect(await first).toStrictEqual({ placed: "o-1" });
      expect(run).toHaveBeenCalledTimes(1);
      expect(reads).toBeLessThanOrEqual(4);
    });

    it("ends as in progress when its time is over", async () => {
      const one = tablesBench({ whenInProgress: { wait: { seconds: 0.1 } } });
      const { fn, entered, open } = gate();
      const call = make(fn, one.options);
      const first = call({ id: "o-1" });
      await entered;
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
      expect(one.turns()).toContain("waited");
      open();
      await first;
    });
  });
}
