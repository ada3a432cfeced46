import { describe, expect, it } from "vitest";
import { epochMillis } from "../../src/core/time.ts";
import { ask, done, freshId, from, outcomeOf, released, running, SECOND, START } from "./requests.ts";
import type { StoreUnderTest } from "./store.ts";

/** Takeover, resumption, and races. */
export function describeSuccessions({ store, seed, raw }: Omit<StoreUnderTest, "clock">): void {
  describe("a takeover", () => {
    it.each([
      ["a millisecond after now", START + 1, "conflict"],
      ["now", START, "claimed"],
      ["a millisecond before now", START - 1, "claimed"],
    ])("of a lock that ends %s", async (_, lockedUntil, outcome) => {
      const id = freshId();
      await seed(running(id, { lockedUntil }));
      const before = await raw(id);
      expect(await outcomeOf(store.claim(ask(id, { owner: "second", from })))).toBe(outcome);
      if (outcome === "conflict") expect(await raw(id)).toStrictEqual(before);
    });

    it("adds 1 to the attempt, keeps steps and createdAt, and replaces the rest", async () => {
      const id = freshId();
      await seed(running(id));
      const answer = await store.claim(ask(id, { owner: "second", fingerprint: "other", from }));
      const record = {
        id,
        status: "IN_PROGRESS",
        owner: "second",
        attempt: 2,
        createdAt: START - 5_000,
        lockedUntil: START + 30_000,
        expiresAt: SECOND + 90,
        fingerprint: "other",
        steps: { charge: { encoding: "json", data: '"ch_1"' } },
      };
      expect(answer).toStrictEqual({ outcome: "claimed", record });
      expect(await store.read(id, { consistent: true })).toStrictEqual(record);
    });

    it.each([
      ["an expiry", { expiresAt: undefined }],
      ["a fingerprint", { fingerprint: undefined }],
      ["either", { expiresAt: undefined, fingerprint: undefined }],
    ])("without %s removes the old one", async (_, none) => {
      const id = freshId();
      await seed(running(id));
      expect(await store.claim(ask(id, { owner: "second", from, ...none }))).toMatchObject({
        outcome: "claimed",
        record: none,
      });
      for (const name of Object.keys(none)) expect(await raw(id)).not.toHaveProperty(name);
    });

    it.each([
      ["another owner", { ...from, owner: "other" }],
      ["an earlier attempt", { ...from, attempt: 0 }],
      ["a later attempt", { ...from, attempt: 2 }],
      ["another status", { ...from, status: "RELEASED" }],
    ] as const)("that has seen %s is refused and changes nothing", async (_, seen) => {
      const id = freshId();
      await seed(running(id));
      const before = await raw(id);
      const answer = await store.claim(ask(id, { owner: "second", from: seen }));
      expect(answer).toMatchObject({ outcome: "conflict", found: { owner: "first", attempt: 1 } });
      expect(await raw(id)).toStrictEqual(before);
    });

    it("of a record that is gone writes none", async () => {
      const id = freshId();
      expect(await store.claim(ask(id, { from }))).toStrictEqual({ outcome: "conflict", found: undefined });
      expect(await raw(id)).toBeUndefined();
    });

    it("of a completed record is refused", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.complete(done(id));
      const answer = await store.claim(ask(id, { owner: "second", now: epochMillis(START + 60_000), from }));
      expect(answer).toMatchObject({ outcome: "conflict", found: { status: "COMPLETED" } });
    });

    it("of an item without steps begins with none", async () => {
      const id = freshId();
      const { steps, ...item } = running(id);
      await seed(item);
      expect(await store.claim(ask(id, { owner: "second", from }))).toMatchObject({
        outcome: "claimed",
        record: { steps: {} },
      });
      expect(await raw(id)).toMatchObject({ steps: { M: {} } });
    });

    it("that is sent again shows its own claim", async () => {
      const id = freshId();
      await seed(running(id));
      await store.claim(ask(id, { owner: "second", from }));
      const again = await store.claim(ask(id, { owner: "second", from }));
      expect(again).toMatchObject({
        outcome: "conflict",
        found: { status: "IN_PROGRESS", owner: "second", attempt: 2 },
      });
    });
  });

  describe("a resumption", () => {
    const seen = { status: "RELEASED", owner: "first", attempt: 3 } as const;

    it("of a released record keeps its steps and adds 1 to the attempt", async () => {
      const id = freshId();
      await seed(released(id));
      const answer = await store.claim(ask(id, { owner: "second", from: seen }));
      expect(answer).toMatchObject({
        outcome: "claimed",
        record: {
          status: "IN_PROGRESS",
          owner: "second",
          attempt: 4,
          createdAt: START - 5_000,
          lockedUntil: START + 30_000,
        },
      });
      expect(answer).toHaveProperty("record.steps", { charge: { encoding: "json", data: '"ch_1"' } });
    });

    it.each([
      ["another owner", { ...seen, owner: "other" }],
      ["another attempt", { ...seen, attempt: 2 }],
      ["a lapsed lock", { ...seen, status: "IN_PROGRESS" }],
    ] as const)("that has seen %s is refused and changes nothing", async (_, other) => {
      const id = freshId();
      await seed(released(id));
      const before = await raw(id);
      expect(await outcomeOf(store.claim(ask(id, { owner: "second", from: other })))).toBe("conflict");
      expect(await raw(id)).toStrictEqual(before);
    });
  });

  describe("a race", () => {
    it("of 100 first claims has one winner, and shows it to the others", async () => {
      const id = freshId();
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, n) => store.claim(ask(id, { owner: `contender ${n}` }))),
      );
      const winners = answers.flatMap((answer) => (answer.outcome === "claimed" ? [answer.record.owner] : []));
      const seen = answers.flatMap((answer) =>
        answer.outcome === "conflict" && answer.found && "owner" in answer.found ? [answer.found.owner] : [],
      );
      expect(winners).toHaveLength(1);
      expect(seen).toStrictEqual(Array(99).fill(winners[0]));
    });

    it("of 50 contenders for one lapsed lock has one winner with one more attempt", async () => {
      const id = freshId();
      await seed(running(id));
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => store.claim(ask(id, { owner: `contender ${n}`, from }))),
      );
      const winners = answers.flatMap((answer) => (answer.outcome === "claimed" ? [answer.record] : []));
      expect(winners).toHaveLength(1);
      expect(winners[0]).toMatchObject({ attempt: 2 });
      expect(await store.read(id, { consistent: true })).toStrictEqual(winners[0]);
    });
  });
}
