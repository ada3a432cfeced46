import { describe, expect, it } from "vitest";
import { ask, done, freshId, outcomeOf, running, SECOND, START } from "./requests.ts";
import type { StoreUnderTest } from "./store.ts";

/** What a completion writes, and what comes back. */
export function describeCompletions({ store, seed, raw }: Omit<StoreUnderTest, "clock">): void {
  describe("a completion", () => {
    it.each(["COMPLETED", "FAILED"] as const)("as %s writes the result and removes lock and steps", async (status) => {
      const id = freshId();
      await seed(running(id));
      expect(await store.complete(done(id, { status }))).toStrictEqual({ outcome: "written" });
      expect(await raw(id)).toStrictEqual({
        id: { S: id },
        v: { N: "1" },
        status: { S: status },
        owner: { S: "first" },
        attempt: { N: "1" },
        fingerprint: { S: "print" },
        result: { S: '{"ok":true}' },
        encoding: { S: "json" },
        createdAt: { N: String(START - 5_000) },
        completedAt: { N: String(START + 1_000) },
        expiresAt: { N: String(SECOND + 86_400) },
      });
      expect(await store.read(id, { consistent: true })).toStrictEqual({
        id,
        status,
        owner: "first",
        attempt: 1,
        fingerprint: "print",
        createdAt: START - 5_000,
        completedAt: START + 1_000,
        expiresAt: SECOND + 86_400,
        result: { encoding: "json", data: '{"ok":true}' },
      });
    });

    it("is still written after the lock lapsed, where nobody took over", async () => {
      const id = freshId();
      await seed(running(id, { lockedUntil: START - 60_000 }));
      expect(await outcomeOf(store.complete(done(id)))).toBe("written");
    });

    it("that is sent again shows the record that it wrote", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.complete(done(id));
      const before = await raw(id);
      const again = await store.complete(done(id, { result: { encoding: "json", data: "2" } }));
      expect(again).toMatchObject({
        outcome: "conflict",
        found: { status: "COMPLETED", owner: "first", result: { data: '{"ok":true}' } },
      });
      expect(await raw(id)).toStrictEqual(before);
    });

    it.each([
      ["an empty string", ""],
      ["NUL and control characters", "\u0000\u0001\u001f\u007f\u0085"],
      ["line separators and a byte order mark", "\ufeff\r\n\u2028\u2029"],
      ["characters of two, three and four bytes", "é€𝄞👩‍👩‍👧‍👦"],
      ["combining marks, not normalised", "e\u0301 \u00e9 ﬁ"],
      ["right to left", "שלום مرحبا\u202e"],
      ["non-characters", "\uffff\ufffe\u{10ffff}"],
      ["an escaped lone surrogate", '"\\ud800"'],
      ["what looks like DynamoDB JSON", '{"S":"x","__type":"y"}'],
      ["bytes", Uint8Array.from({ length: 256 }, (_, n) => n)],
      ["no bytes", new Uint8Array()],
    ])("brings back %s", async (_, data) => {
      const id = freshId();
      await store.claim(ask(id));
      await store.complete(done(id, { result: { encoding: "x", data } }));
      const found = await store.read(id, { consistent: true });
      const stored = found && "result" in found ? found.result.data : undefined;
      expect(typeof stored === "string" ? stored : Array.from(stored ?? [])).toStrictEqual(
        typeof data === "string" ? data : Array.from(data),
      );
    });

    it("stores no data for an encoding that needs none", async () => {
      const id = freshId();
      await store.claim(ask(id));
      await store.complete(done(id, { result: { encoding: "undefined" } }));
      expect(await raw(id)).not.toHaveProperty("result");
      expect(await store.read(id, { consistent: true })).toHaveProperty("result", { encoding: "undefined" });
    });

    it.each([
      ["text", "x".repeat(399 * 1024)],
      ["text of two-byte characters", "é".repeat((399 * 1024) / 2)],
      ["bytes", new Uint8Array(399 * 1024).fill(7)],
    ])("stores 399 KB of %s and brings them back", async (_, data) => {
      const id = freshId();
      await store.claim(ask(id, { fingerprint: "f".repeat(64) }));
      expect(await outcomeOf(store.complete(done(id, { result: { encoding: "json", data } })))).toBe("written");
      const found = await store.read(id, { consistent: true });
      const stored = found && "result" in found ? (found.result.data ?? "") : "";
      expect(Buffer.compare(Buffer.from(stored), Buffer.from(data))).toBe(0);
    });

    it.each([
      ["text", "x".repeat(400 * 1024)],
      ["text of two-byte characters", "é".repeat(200 * 1024)],
      ["bytes", new Uint8Array(700 * 1024)],
    ])("of 400 KB or more of %s is too large, and changes nothing", async (_, data) => {
      const id = freshId();
      await store.claim(ask(id));
      const before = await raw(id);
      const answer = await store.complete(done(id, { result: { encoding: "json", data } }));
      expect(answer).toMatchObject({ outcome: "too_large", limit: 409_600 });
      expect(answer.outcome === "too_large" && answer.bytes).toBeGreaterThan(409_600);
      expect(await raw(id)).toStrictEqual(before);
    });
  });
}
