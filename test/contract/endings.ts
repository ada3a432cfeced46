import { describe, expect, it } from "vitest";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";
import { CORRUPTIONS } from "./corrupt-items.ts";
import { ask, completed, done, freshId, from, running, SECOND, START } from "./requests.ts";
import type { StoreUnderTest } from "./store.ts";

/** Release, late owners, reads, copies and corrupt items. */
export function describeEndings({ store, seed, raw }: Omit<StoreUnderTest, "clock">): void {
  describe("a release", () => {
    it("deletes the record, and the key can be claimed anew", async () => {
      const id = freshId();
      await store.claim(ask(id));
      expect(await store.release({ id, owner: "first", keepUntil: undefined })).toStrictEqual({ outcome: "released" });
      expect(await raw(id)).toBeUndefined();
      expect(await store.claim(ask(id, { owner: "second" }))).toMatchObject({
        outcome: "claimed",
        record: { attempt: 1 },
      });
    });

    it("that keeps what is known marks the record, and the next claim goes on from it", async () => {
      const id = freshId();
      await seed(running(id, { attempt: 2, lockedUntil: START + 30_000, expiresAt: undefined }));
      const keepUntil = (SECOND + 600) as EpochSeconds;
      expect(await store.release({ id, owner: "first", keepUntil })).toStrictEqual({ outcome: "released" });
      const { status, lockedUntil: _, ...kept } = running(id, { attempt: 2, expiresAt: keepUntil });
      expect(await raw(id)).toStrictEqual({ ...kept, status: { S: "RELEASED" } });
      const next = { status: "RELEASED", owner: "first", attempt: 2 } as const;
      expect(await store.claim(ask(id, { owner: "second", from: next }))).toMatchObject({
        outcome: "claimed",
        record: { attempt: 3, steps: { charge: { data: '"ch_1"' } } },
      });
    });

    it("that keeps what is known, sent again, shows the record that it wrote", async () => {
      const id = freshId();
      await store.claim(ask(id));
      const keepUntil = (SECOND + 600) as EpochSeconds;
      await store.release({ id, owner: "first", keepUntil });
      expect(await store.release({ id, owner: "first", keepUntil })).toMatchObject({
        outcome: "conflict",
        found: { status: "RELEASED", owner: "first", attempt: 1 },
      });
    });

    it("that is sent again finds nothing", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.release({ id, owner: "first", keepUntil: undefined });
      expect(await store.release({ id, owner: "first", keepUntil: undefined })).toStrictEqual({
        outcome: "conflict",
        found: undefined,
      });
    });
  });

  describe("a late owner", () => {
    const late = epochMillis(START + 30_000);
    const afterwards: Record<string, (id: string) => Promise<unknown>> = {
      "the takeover": async () => {},
      "the successor's completion": (id) => store.complete(done(id, { owner: "second" })),
      "the successor's release": (id) => store.release({ id, owner: "second", keepUntil: undefined }),
      "the successor's kept error": (id) => store.complete(done(id, { owner: "second", status: "FAILED" })),
    };
    const verbs: Record<string, (id: string) => Promise<{ outcome: string }>> = {
      complete: (id) => store.complete(done(id, { result: { encoding: "json", data: '"late"' } })),
      release: (id) => store.release({ id, owner: "first", keepUntil: undefined }),
      "release, keeping what is known,": (id) =>
        store.release({ id, owner: "first", keepUntil: (SECOND + 600) as EpochSeconds }),
    };

    it.each(Object.keys(afterwards).flatMap((event) => Object.keys(verbs).map((verb) => [verb, event] as const)))(
      "that sends %s after %s changes nothing",
      async (verb, event) => {
        const id = freshId();
        await store.claim(ask(id));
        await store.claim(ask(id, { owner: "second", now: late, lockedUntil: epochMillis(START + 60_000), from }));
        await afterwards[event]?.(id);
        const before = await raw(id);
        const answer = await verbs[verb]?.(id);
        expect(answer?.outcome).toBe("conflict");
        expect(answer).toHaveProperty("found", await store.read(id, { consistent: true }));
        expect(await raw(id)).toStrictEqual(before);
      },
    );

    it("that releases after its own completion changes nothing", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.complete(done(id));
      const before = await raw(id);
      expect(await store.release({ id, owner: "first", keepUntil: undefined })).toMatchObject({
        outcome: "conflict",
        found: { status: "COMPLETED" },
      });
      expect(await raw(id)).toStrictEqual(before);
    });
  });

  describe("a read", () => {
    it.each([true, false])("answers undefined where nothing stands (consistent: %s)", async (consistent) => {
      expect(await store.read(freshId(), { consistent })).toBeUndefined();
    });

    it.each([true, false])("answers an expired record too (consistent: %s)", async (consistent) => {
      const id = freshId();
      await seed(running(id, { lockedUntil: START - 90_000, expiresAt: SECOND - 60 }));
      expect(await store.read(id, { consistent })).toMatchObject({ status: "IN_PROGRESS", expiresAt: SECOND - 60 });
    });
  });

  describe("a copy", () => {
    it("that a caller changes leaves the record as it is", async () => {
      const id = freshId();
      const data = Uint8Array.of(1, 2, 3);
      await store.claim(ask(id));
      const completing = store.complete(done(id, { result: { encoding: "x", data } }));
      data.fill(9);
      await completing;
      const found = await store.read(id, { consistent: true });
      if (found && "result" in found && found.result.data instanceof Uint8Array) found.result.data.fill(8);
      expect(await store.read(id, { consistent: true })).toHaveProperty("result.data", Uint8Array.of(1, 2, 3));
    });

    it("of the steps that a caller changes leaves the record as it is", async () => {
      const id = freshId();
      await seed(running(id));
      const answer = await store.claim(ask(id, { owner: "second", from }));
      if (answer.outcome === "claimed") Object.assign(answer.record.steps, { charge: { encoding: "other" } });
      expect(await store.read(id, { consistent: true })).toHaveProperty("steps.charge.data", '"ch_1"');
    });
  });

  describe("a corrupt item", () => {
    it.each(CORRUPTIONS)("with $what is shown as unreadable and left alone", async ({ of, corrupt, reason }) => {
      const id = freshId();
      await seed(corrupt(of === "completed" ? completed(id) : running(id, { lockedUntil: START + 1_000 })));
      const before = await raw(id);
      const unreadable = { status: "UNREADABLE", id, reason: expect.stringMatching(reason) };
      expect(await store.claim(ask(id, { owner: "second" }))).toStrictEqual({
        outcome: "conflict",
        found: unreadable,
      });
      expect(await store.complete(done(id, { owner: "second" }))).toStrictEqual({
        outcome: "conflict",
        found: unreadable,
      });
      expect(await store.release({ id, owner: "second", keepUntil: undefined })).toStrictEqual({
        outcome: "conflict",
        found: unreadable,
      });
      expect(await store.read(id, { consistent: true })).toStrictEqual(unreadable);
      expect(await store.read(id, { consistent: false })).toStrictEqual(unreadable);
      expect(await raw(id)).toStrictEqual(before);
    });
  });
}
