import { describe, expect, it } from "vitest";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";
import type { Item } from "../../src/store/attributes.ts";
import { ask, completed, freshId, from, outcomeOf, released, running, SECOND, START } from "./requests.ts";
import type { StoreUnderTest } from "./store.ts";

/** Renewals: they move a lock's end, under the claim. */
export function describeRenewals({ store, seed, raw }: Omit<StoreUnderTest, "clock">): void {
  const renewal = (id: string, owner = "first") => ({
    ...{ id, owner },
    lockedUntil: epochMillis(START + 45_000),
    expiresAt: (SECOND + 105) as EpochSeconds,
  });

  describe("a renewal", () => {
    it("moves lock and expiry, and changes nothing else", async () => {
      const id = freshId();
      await seed(running(id));
      const before = await raw(id);
      expect(await store.renew(renewal(id))).toStrictEqual({ outcome: "written" });
      expect(await raw(id)).toStrictEqual({
        ...before,
        lockedUntil: { N: String(START + 45_000) },
        expiresAt: { N: String(SECOND + 105) },
      });
    });

    it("of a record that waits for an operator gives it no expiry", async () => {
      const id = freshId();
      await seed(running(id, { expiresAt: undefined }));
      expect(await outcomeOf(store.renew({ ...renewal(id), expiresAt: undefined }))).toBe("written");
      expect(await raw(id)).not.toHaveProperty("expiresAt");
      expect(await raw(id)).toHaveProperty("lockedUntil", { N: String(START + 45_000) });
    });

    it("keeps a contender out that has seen the lock's old end", async () => {
      const id = freshId();
      await seed(running(id));
      await store.renew(renewal(id));
      const late = { owner: "second", now: epochMillis(START + 44_999), from };
      expect(await outcomeOf(store.claim(ask(id, late)))).toBe("conflict");
      expect(await outcomeOf(store.claim(ask(id, { ...late, now: epochMillis(START + 45_000) })))).toBe("claimed");
    });

    it("is still written after the lock lapsed, where nobody took over", async () => {
      const id = freshId();
      await seed(running(id, { lockedUntil: START - 60_000 }));
      expect(await outcomeOf(store.renew(renewal(id)))).toBe("written");
    });

    it("sent again is the same renewal", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.renew(renewal(id));
      const before = await raw(id);
      expect(await outcomeOf(store.renew(renewal(id)))).toBe("written");
      expect(await raw(id)).toStrictEqual(before);
    });

    // Seen by a reviewer: one that was given up came after later ones, and let others in.
    it("that arrives after a later one does not shorten the lock", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.renew(renewal(id));
      const before = await raw(id);
      const late = { ...renewal(id), lockedUntil: epochMillis(START + 44_999) };
      expect(await store.renew(late)).toMatchObject({
        outcome: "conflict",
        found: { status: "IN_PROGRESS", owner: "first", lockedUntil: START + 45_000 },
      });
      expect(await raw(id)).toStrictEqual(before);
    });

    const others: Record<string, (id: string) => Item | undefined> = {
      "of a successor": (id) => ({ ...running(id), owner: { S: "second" } }),
      "that is completed": completed,
      "that is released": released,
      "that is gone": () => undefined,
    };
    it.each(Object.keys(others))("of a record %s is refused and changes nothing", async (name) => {
      const id = freshId();
      const item = others[name]?.(id);
      if (item !== undefined) await seed(item);
      expect(await store.renew(renewal(id))).toStrictEqual({
        outcome: "conflict",
        found: await store.read(id, { consistent: true }),
      });
      expect(await raw(id)).toStrictEqual(item);
    });
  });
}
