import { describe, expect, it, vi } from "vitest";
import { bench, codeOf, type FrontEnd, gate, number, over, tamper, thrownBy } from "./kit.ts";

const OLD = "an old secret of thirty-two bytes or more";
const NEW = "a new secret of thirty-two bytes or more";

/** Keys and fingerprints hashed with secrets that change. */
export function describeSecrets(make: FrontEnd): void {
  describe("a secret that is rotated", () => {
    it("changes the record's id", async () => {
      const one = bench();
      const ids = new Set<unknown>();
      for (const secret of [undefined, [OLD], [NEW]] as const) {
        await make((_, claim) => ids.add(claim.id) && "done", { ...one.options, ...(secret && { secret }) })({
          id: "o-1",
        });
      }
      expect(ids.size).toBe(3);
    });

    it("still answers from a record that was written with the old one", async () => {
      const fn = vi.fn(() => "done");
      const one = bench();
      await make(fn, { ...one.options, secret: [OLD] })({ id: "o-1", amount: 5 });
      const rotated = make(fn, { ...one.options, secret: [NEW, OLD] });
      expect(await rotated({ id: "o-1", amount: 5 })).toBe("done");
      expect(await codeOf(rotated({ id: "o-1", amount: 6 }))).toBe("key_reused");
      expect(await rotated({ id: "o-1", amount: 5 })).toBe("done");
      expect(fn).toHaveBeenCalledTimes(1);
      expect(one.store.items.size).toBe(1);
    });

    it("respects a call that runs under the old one", async () => {
      const { fn, entered, open } = gate();
      const spy = vi.fn(fn);
      const one = bench();
      const first = make(spy, { ...one.options, secret: [OLD] })({ id: "o-1" });
      await entered;
      const rotated = make(spy, { ...one.options, secret: [NEW, OLD] });
      expect(await codeOf(rotated({ id: "o-1" }))).toBe("in_progress");
      open();
      expect(await first).toStrictEqual({ placed: "o-1" });
      expect(await rotated({ id: "o-1" })).toStrictEqual({ placed: "o-1" });
      expect(spy).toHaveBeenCalledTimes(1);
    });

    it("takes over a lapsed call of the old one as attempt 2", async () => {
      const one = bench();
      let remember: "hold" | "keep" = "hold";
      const options = { ...one.options, remember: () => remember };
      await make(() => "lost", { ...options, secret: [OLD] })({ id: "o-1" });
      remember = "keep";
      one.clock.set(one.clock.now() + 60_000);
      expect(await make((_, claim) => claim.attempt, { ...options, secret: [NEW, OLD] })({ id: "o-1" })).toBe(2);
      expect(one.store.items.size).toBe(1);
    });

    it("creates nothing under the old one where the lapsed call gives its key back just then", async () => {
      const fn = vi.fn(() => "done");
      const one = bench({}, (store) =>
        over(store, {
          claim: (request) => {
            if (request.from !== undefined) store.items.delete(request.id);
            return store.claim(request);
          },
        }),
      );
      await make(() => "lost", { ...one.options, remember: () => "hold", secret: [OLD] })({ id: "o-1" });
      one.clock.set(one.clock.now() + 60_000);
      const rotated = make(fn, { ...one.options, secret: [NEW, OLD] });
      expect(await codeOf(rotated({ id: "o-1" }))).toBe("in_progress");
      expect(fn).not.toHaveBeenCalled();
      expect(one.store.items.size).toBe(0);
      expect(await rotated({ id: "o-1" })).toBe("done");
    });

    it("refuses a corrupt record of the old one", async () => {
      const fn = vi.fn(() => "done");
      const one = bench();
      await make(fn, { ...one.options, secret: [OLD] })({ id: "o-1" });
      tamper(one, { v: number(99) });
      expect(await codeOf(make(fn, { ...one.options, secret: [NEW, OLD] })({ id: "o-1" }))).toBe("record_corrupt");
      expect(fn).toHaveBeenCalledTimes(1);
      expect(one.store.items.size).toBe(1);
    });

    it("runs nothing where the old one's record cannot be read, and gives its claim back", async () => {
      const fn = vi.fn(() => "done");
      const one = bench({ lookup: "never" }, (store) =>
        over(store, { read: () => Promise.reject(new Error("no read")) }),
      );
      expect(await thrownBy(make(fn, { ...one.options, secret: [NEW, OLD] })({ id: "o-1" }))).toMatchObject({
        code: "store_failed",
      });
      expect(fn).not.toHaveBeenCalled();
      expect(one.store.items.size).toBe(0);
    });

    // Two processes in the middle of a deployment disagree about which secret is the current one.
    it("never runs twice between [old, new] and [new, old], whatever the interleaving", async () => {
      for (let seed = 0; seed < 40; seed++) {
        let state = seed * 2_654_435_761 + 1;
        const pause = async (): Promise<void> => {
          state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
          for (let turn = seed === 0 ? 0 : (state >> 8) % 6; turn > 0; turn--) await null;
        };
        const one = bench({}, (store) =>
          over(store, {
            claim: (request) => pause().then(() => store.claim(request)),
            release: (claim) => pause().then(() => store.release(claim)),
            read: (id, options) => pause().then(() => store.read(id, options)),
          }),
        );
        const { fn, open } = gate();
        const spy = vi.fn(fn);
        const before = make(spy, { ...one.options, secret: [OLD, NEW] });
        const after = make(spy, { ...one.options, secret: [NEW, OLD] });
        const calls = [before, after, before, after].map((call) => call({ id: "o-1" }).catch((error) => error.code));
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        open();
        for (const answer of await Promise.all(calls)) expect(answer).toBeOneOf(["in_progress", { placed: "o-1" }]);
        expect(spy.mock.calls.length, `runs of interleaving ${seed}`).toBeLessThanOrEqual(1);
      }
    });
  });
}
