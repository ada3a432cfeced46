import { describe, expect, it } from "vitest";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";
import type { Item } from "../../src/store/attributes.ts";
import { ask, completed, done, freshId, from, outcomeOf, released, running, SECOND, START } from "./requests.ts";
import type { StoreUnderTest } from "./store.ts";

const keepUntil = (SECOND + 600) as EpochSeconds;
const step = { encoding: "json", data: '"ch_2"' } as const;

/** Names that an expression, an object or a map could stumble over. */
const NAMES = [
  ...["__proto__", "constructor", "toString", "#x", ":x", "a.b", "a[0]", "status", "steps", "NULL", " ", "\n"],
  ...['"', "\\", "é", "👩‍👩‍👧‍👦", "x".repeat(255), "👩".repeat(127)],
];

/** Steps: recorded under a claim, kept by its successors, forgotten where a release says so. */
export function describeCheckpoints({ store, seed, raw }: Omit<StoreUnderTest, "clock">): void {
  const stepsOf = async (id: string): Promise<Item | undefined> => {
    const steps = (await raw(id))?.["steps"];
    return steps && "M" in steps ? steps.M : undefined;
  };

  describe("a checkpoint", () => {
    it("adds one step and changes nothing else", async () => {
      const id = freshId();
      await seed(running(id));
      const before = await raw(id);
      expect(await store.checkpoint({ id, owner: "first", name: "ship", step })).toStrictEqual({ outcome: "written" });
      const ship = { M: { encoding: { S: "json" }, data: { S: '"ch_2"' } } };
      const charge = { M: { encoding: { S: "json" }, data: { S: '"ch_1"' } } };
      expect(await raw(id)).toStrictEqual({ ...before, steps: { M: { charge, ship } } });
    });

    it("sent again is the same checkpoint", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.checkpoint({ id, owner: "first", name: "ship", step });
      const before = await raw(id);
      expect(await outcomeOf(store.checkpoint({ id, owner: "first", name: "ship", step }))).toBe("written");
      expect(await raw(id)).toStrictEqual(before);
    });

    it("takes the place of the step's start mark", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.checkpoint({ id, owner: "first", name: "ship", step: { encoding: "started", data: "first" } });
      await store.checkpoint({ id, owner: "first", name: "ship", step });
      expect(await store.read(id, { consistent: true })).toHaveProperty("steps", { ship: step });
    });

    it("is still written after the lock lapsed, where nobody took over", async () => {
      const id = freshId();
      await seed(running(id, { lockedUntil: START - 60_000 }));
      expect(await outcomeOf(store.checkpoint({ id, owner: "first", name: "ship", step }))).toBe("written");
    });

    it.each(NAMES.map((name) => [name]))(
      "keeps the name %j apart from all others, also over a takeover",
      async (name) => {
        const id = freshId();
        await store.claim(ask(id));
        expect(await outcomeOf(store.checkpoint({ id, owner: "first", name: "other", step }))).toBe("written");
        expect(await outcomeOf(store.checkpoint({ id, owner: "first", name, step }))).toBe("written");
        const now = epochMillis(START + 30_000);
        const answer = await store.claim(ask(id, { owner: "second", now, from }));
        const steps = answer.outcome === "claimed" ? answer.record.steps : {};
        expect(new Map(Object.entries(steps))).toStrictEqual(
          new Map([
            ["other", step],
            [name, step],
          ]),
        );
      },
    );

    it.each([
      ["bytes", Uint8Array.from({ length: 256 }, (_, n) => n)],
      ["no bytes", new Uint8Array()],
      ["an empty text", ""],
    ])("brings back %s", async (_, data) => {
      const id = freshId();
      await store.claim(ask(id));
      await store.checkpoint({ id, owner: "first", name: "a", step: { encoding: "x", data } });
      const found = await store.read(id, { consistent: true });
      expect(found && "steps" in found ? found.steps["a"] : undefined).toStrictEqual({ encoding: "x", data });
    });

    it("without data stores its encoding alone", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.checkpoint({ id, owner: "first", name: "a", step: { encoding: "undefined" } });
      expect(await store.read(id, { consistent: true })).toHaveProperty("steps", { a: { encoding: "undefined" } });
    });

    it("that makes the record too large changes nothing, though each step would fit", async () => {
      const id = freshId();
      const half = { encoding: "json", data: "x".repeat(210_000) };
      await store.claim(ask(id));
      expect(await outcomeOf(store.checkpoint({ id, owner: "first", name: "a", step: half }))).toBe("written");
      const before = await raw(id);
      const answer = await store.checkpoint({ id, owner: "first", name: "b", step: half });
      expect(answer).toMatchObject({ outcome: "too_large", limit: 409_600 });
      expect(answer.outcome === "too_large" && answer.bytes).toBeGreaterThan(409_600);
      expect(await raw(id)).toStrictEqual(before);
    });

    const others: Record<string, (id: string) => Item | undefined> = {
      "of another owner": (id) => ({ ...running(id), owner: { S: "second" } }),
      "that is completed": completed,
      "that is released": released,
      "that is gone": () => undefined,
    };
    it.each(Object.keys(others))("under a record %s is refused and changes nothing", async (name) => {
      const id = freshId();
      const item = others[name]?.(id);
      if (item !== undefined) await seed(item);
      const answer = await store.checkpoint({ id, owner: "first", name: "ship", step });
      expect(answer).toStrictEqual({ outcome: "conflict", found: await store.read(id, { consistent: true }) });
      expect(await raw(id)).toStrictEqual(item);
    });

    it("of 20 steps at once records them all", async () => {
      const id = freshId();
      await store.claim(ask(id));
      const names = Array.from({ length: 20 }, (_, n) => `step ${n}`);
      await Promise.all(names.map((name) => store.checkpoint({ id, owner: "first", name, step })));
      expect(Object.keys((await stepsOf(id)) ?? {}).sort()).toStrictEqual([...names].sort());
    });

    it("is dropped by the completion", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.checkpoint({ id, owner: "first", name: "a", step });
      await store.complete(done(id));
      expect(await raw(id)).not.toHaveProperty("steps");
    });
  });

  describe("a release that forgets", () => {
    it.each(NAMES.map((name) => [name]))("the step %j forgets it and no other", async (name) => {
      const id = freshId();
      await store.claim(ask(id));
      await store.checkpoint({ id, owner: "first", name: "kept", step });
      await store.checkpoint({ id, owner: "first", name, step });
      const release = { id, owner: "first", keepUntil, forget: [name] };
      expect(await store.release(release)).toStrictEqual({ outcome: "released" });
      const found = await store.read(id, { consistent: true });
      expect(found).toMatchObject({ status: "RELEASED", expiresAt: keepUntil });
      expect(Object.entries(found && "steps" in found ? found.steps : {})).toStrictEqual([["kept", step]]);
    });

    it("steps that are not there, or all of them, leaves a record that can be resumed", async () => {
      const id = freshId();
      await seed(running(id));
      await store.release({ id, owner: "first", keepUntil, forget: ["charge", "never begun"] });
      const seen = { status: "RELEASED", owner: "first", attempt: 1 } as const;
      expect(await store.claim(ask(id, { owner: "second", from: seen }))).toMatchObject({
        outcome: "claimed",
        record: { attempt: 2, steps: {} },
      });
    });

    it("changes nothing where the claim is lost", async () => {
      const id = freshId();
      await seed(running(id));
      const before = await raw(id);
      const release = { id, owner: "other", keepUntil, forget: ["charge"] };
      expect(await outcomeOf(store.release(release))).toBe("conflict");
      expect(await raw(id)).toStrictEqual(before);
    });
  });
}
