import { describe, expect, it } from "vitest";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";
import { toItem } from "../../src/store/item.ts";
import { ask, done, freshId, outcomeOf, released, running, SECOND, START } from "./requests.ts";
import type { StoreUnderTest } from "./store.ts";

/** Who gets a vacant key, and who does not. */
export function describeFirstClaims({ store, seed, raw }: Omit<StoreUnderTest, "clock">): void {
  describe("a first claim", () => {
    it("is granted where nothing stands, and writes exactly the record that it answers", async () => {
      const id = freshId();
      const answer = await store.claim(ask(id));
      const record = {
        id,
        status: "IN_PROGRESS",
        owner: "first",
        attempt: 1,
        createdAt: START,
        lockedUntil: START + 30_000,
        expiresAt: SECOND + 90,
        fingerprint: "print",
        steps: {},
      };
      expect(answer).toStrictEqual({ outcome: "claimed", record });
      expect(await raw(id)).toStrictEqual({
        id: { S: id },
        v: { N: "1" },
        status: { S: "IN_PROGRESS" },
        owner: { S: "first" },
        attempt: { N: "1" },
        lockedUntil: { N: String(START + 30_000) },
        expiresAt: { N: String(SECOND + 90) },
        fingerprint: { S: "print" },
        createdAt: { N: String(START) },
        steps: { M: {} },
      });
      expect(await store.read(id, { consistent: true })).toStrictEqual(record);
    });

    it("writes neither an expiry nor a fingerprint where it has none", async () => {
      const id = freshId();
      const answer = await store.claim(ask(id, { expiresAt: undefined, fingerprint: undefined }));
      expect(answer).toMatchObject({ outcome: "claimed", record: { expiresAt: undefined, fingerprint: undefined } });
      expect(Object.keys((await raw(id)) ?? {}).sort()).toStrictEqual(
        ["attempt", "createdAt", "id", "lockedUntil", "owner", "status", "steps", "v"].sort(),
      );
      expect(await store.read(id, { consistent: true })).toMatchObject({
        expiresAt: undefined,
        fingerprint: undefined,
      });
    });

    it("is refused while the lock holds, shows what stands there, and changes nothing", async () => {
      const id = freshId();
      await store.claim(ask(id));
      const before = await raw(id);
      const answer = await store.claim(ask(id, { owner: "second", fingerprint: "other" }));
      expect(answer).toMatchObject({
        outcome: "conflict",
        found: { status: "IN_PROGRESS", owner: "first", fingerprint: "print" },
      });
      expect(await raw(id)).toStrictEqual(before);
    });

    it("that is sent again shows its own claim", async () => {
      const id = freshId();
      const first = await store.claim(ask(id));
      const again = await store.claim(ask(id));
      expect(first.outcome === "claimed" && again).toStrictEqual({
        outcome: "conflict",
        found: "record" in first && first.record,
      });
    });

    it("is refused by a completed and by a released record", async () => {
      const [completed, given] = [freshId(), freshId()];
      await store.claim(ask(completed));
      await store.complete(done(completed));
      await seed(released(given));
      expect(await store.claim(ask(completed))).toMatchObject({
        outcome: "conflict",
        found: { status: "COMPLETED" },
      });
      expect(await store.claim(ask(given))).toMatchObject({ outcome: "conflict", found: { status: "RELEASED" } });
    });

    it.each([
      ["a second before it expires", (SECOND - 1) * 1000, "conflict"],
      ["a millisecond before it expires", START - 1, "conflict"],
      ["in the moment in which it expires", START, "claimed"],
      ["later in that second", START + 999, "claimed"],
      ["a second after it expired", START + 1000, "claimed"],
    ])("meets a completed record %s", async (_, now, outcome) => {
      const id = freshId();
      await store.claim(ask(id));
      await store.complete(done(id, { expiresAt: SECOND as EpochSeconds }));
      expect(await outcomeOf(store.claim(ask(id, { owner: "second", now: epochMillis(now) })))).toBe(outcome);
    });

    it.each([
      ["lock a millisecond after now", START + 1, SECOND - 60, "conflict"],
      ["lock that ends now", START, SECOND - 60, "claimed"],
      ["lock that ended a millisecond ago", START - 1, SECOND - 60, "claimed"],
      ["lapsed lock, and the expiry still ahead", START - 1, SECOND + 1, "conflict"],
      ["lapsed lock, and the expiry now", START - 1, SECOND, "claimed"],
      ["lapsed lock, and no expiry, however old", 100_000_000_000, undefined, "conflict"],
    ])("meets a record in progress with a %s", async (_, lockedUntil, expiresAt, outcome) => {
      const id = freshId();
      await seed(running(id, { lockedUntil, expiresAt, attempt: 4 }));
      const before = await raw(id);
      const answer = await store.claim(ask(id, { owner: "second" }));
      expect(answer.outcome).toBe(outcome);
      if (answer.outcome === "claimed") {
        expect(answer.record).toMatchObject({ owner: "second", attempt: 1, createdAt: START, steps: {} });
        expect(await raw(id)).toStrictEqual(toItem(answer.record));
      } else expect(await raw(id)).toStrictEqual(before);
    });
  });
}
