import { describe, expect, it, vi } from "vitest";
import { bench, bytesOf, codeOf, counted, type FrontEnd, gate, type Order, START, thrownBy } from "./kit.ts";

/** The options that say what a call means. */
export function describePolicies(make: FrontEnd): void {
  describe("whenCompleted 'reject'", () => {
    it("refuses what has been carried out, and leaves its record", async () => {
      const fn = vi.fn(() => "done");
      const one = bench({ whenCompleted: "reject" });
      const call = make(fn, one.options);
      expect(await call({ id: "o-1" })).toBe("done");
      const before = bytesOf(one.item());
      expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({
        name: "IdempotencyDuplicateError",
        code: "duplicate",
        statusCode: 409,
        headers: {},
      });
      expect(await codeOf(call({ id: "o-1" }))).toBe("duplicate");
      expect(bytesOf(one.item())).toBe(before);
      expect(fn).toHaveBeenCalledTimes(1);
    });

    it("refuses another request as such first", async () => {
      const call = make(() => "done", bench({ whenCompleted: "reject" }).options);
      await call({ id: "o-1", amount: 5 });
      expect(await codeOf(call({ id: "o-1", amount: 6 }))).toBe("key_reused");
    });
  });

  describe("a call without a key (bad input: none, where one is required)", () => {
    it.each([
      ["undefined", undefined],
      ["null", null],
      ["empty", ""],
    ])("(%s) is refused, and nothing runs", async (_, id) => {
      const fn = vi.fn(() => "done");
      const one = bench();
      expect(await thrownBy(make(fn, one.options)({ id }))).toMatchObject({
        name: "IdempotencyKeyMissingError",
        code: "key_missing",
        statusCode: 400,
        reason: "missing",
      });
      expect(fn).not.toHaveBeenCalled();
      expect(one.store.items.size).toBe(0);
    });

    it("is refused (P14; bad input: `[tenant, orderId]` with one part missing)", async () => {
      const fn = vi.fn(() => "done");
      const call = make(fn, bench({ key: "[user, id]" }).options);
      expect(await codeOf(call({ id: "o-1" }))).toBe("key_missing");
      expect(await codeOf(call({ user: "u-1" }))).toBe("key_missing");
      expect(fn).not.toHaveBeenCalled();
      expect(await call({ id: "o-1", user: "u-1" })).toBe("done");
    });

    it("is refused, and nothing runs (bad input: selector that throws)", async () => {
      const fn = vi.fn(() => "done");
      const key = (): never => {
        throw new TypeError("order is undefined");
      };
      for (const whenKeyMissing of ["reject", "run"] as const) {
        expect(await thrownBy(make(fn, bench({ key, whenKeyMissing }).options)({ id: "o-1" }))).toMatchObject({
          code: "key_missing",
          reason: "unreadable",
        });
      }
      expect(fn).not.toHaveBeenCalled();
    });

    it("runs under whenKeyMissing 'run', every time, with a claim that holds nothing", async () => {
      const fn = vi.fn((_: Order, claim) => ({
        held: claim.held,
        id: claim.id,
        attempt: claim.attempt,
        aborted: claim.signal.aborted,
      }));
      const one = bench({ whenKeyMissing: "run" });
      const call = make(fn, one.options);
      const unheld = { held: false, id: undefined, attempt: 1, aborted: false };
      expect(await call({})).toStrictEqual(unheld);
      expect(await call({})).toStrictEqual(unheld);
      expect(await call({ id: "o-1" })).toMatchObject({ held: true });
      expect(fn).toHaveBeenCalledTimes(3);
      expect(one.store.items.size).toBe(1);
      expect(one.turns()).toStrictEqual(["unheld", "unheld", "claimed", "completed"]);
    });

    it("passes its own error through under whenKeyMissing 'run'", async () => {
      const error = new Error("no");
      const call = make(
        () => {
          throw error;
        },
        bench({ whenKeyMissing: "run" }).options,
      );
      expect(await thrownBy(call({}))).toBe(error);
    });
  });

  describe("a call whose first never ended", () => {
    /** The first call has crashed: it runs for ever, and its lock has lapsed. */
    async function crashed(whenAbandoned: "rerun" | "reject") {
      const { fn, entered } = gate();
      const one = bench({ whenAbandoned });
      const attempts: number[] = [];
      const call = make(
        (order, claim) => (attempts.push(claim.attempt) === 1 ? fn(order, claim) : "second"),
        one.options,
      );
      void call({ id: "o-1" });
      await entered;
      one.clock.set(START + 60_000);
      return { one, call, attempts };
    }

    it("runs again by default, and is told that it is attempt 2", async () => {
      const { one, call, attempts } = await crashed("rerun");
      expect(await call({ id: "o-1" })).toBe("second");
      expect(attempts).toStrictEqual([1, 2]);
      expect(one.item()).toMatchObject({
        status: { S: "COMPLETED" },
        attempt: { N: "2" },
        createdAt: { N: String(START) },
      });
      expect(one.events).toContainEqual(expect.objectContaining({ type: "claimed", attempt: 2, takeover: true }));
    });

    it("is refused under whenAbandoned 'reject', for ever: an operator decides", async () => {
      const { one, call, attempts } = await crashed("reject");
      expect(one.item()["expiresAt"]).toBeUndefined();
      const before = bytesOf(one.item());
      for (const later of [60_000, 86_400_000, 400 * 86_400_000]) {
        one.clock.set(START + later);
        expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({
          name: "IdempotencyAbandonedError",
          code: "abandoned",
          statusCode: 409,
          id: (one.item()["id"] as { S: string }).S,
        });
      }
      expect(bytesOf(one.item())).toBe(before);
      expect(attempts).toStrictEqual([1]);
    });
  });

  describe("principal", () => {
    it("keeps equal keys of two users apart (P17; bad input: user B with user A's key)", async () => {
      const fn = vi.fn((order: Order) => ({ receiptOf: order.user }));
      const one = bench({ principal: "user" });
      const call = make(fn, one.options);
      expect(await call({ id: "o-1", user: "alice" })).toStrictEqual({ receiptOf: "alice" });
      expect(await call({ id: "o-1", user: "bob" })).toStrictEqual({ receiptOf: "bob" });
      expect(await call({ id: "o-1", user: "alice" })).toStrictEqual({ receiptOf: "alice" });
      expect(fn).toHaveBeenCalledTimes(2);
    });

    it("is never optional where the option is given", async () => {
      const fn = vi.fn(() => "done");
      for (const whenKeyMissing of ["reject", "run"] as const) {
        const call = make(fn, bench({ principal: "user", whenKeyMissing }).options);
        expect(await thrownBy(call({ id: "o-1" }))).toMatchObject({ code: "principal_missing", statusCode: 401 });
      }
      expect(fn).not.toHaveBeenCalled();
    });

    it("and key cannot be shifted into each other (bad input: `a#b` + `c` against `a` + `b#c`)", async () => {
      const one = bench({ principal: "user" });
      const call = make((order) => order.user, one.options);
      expect(await call({ user: "a#b", id: "c" })).toBe("a#b");
      expect(await call({ user: "a", id: "b#c" })).toBe("a");
      expect(one.store.items.size).toBe(2);
    });
  });

  describe("lookup", () => {
    const requests = async (lookup: "auto" | "first" | "never", amounts: readonly number[] = [5, 5, 5]) => {
      const sent: string[] = [];
      const one = bench({ lookup }, (store) => counted(store, sent));
      const call = make(() => "done", one.options);
      for (const amount of amounts) {
        sent.push("|");
        await call({ id: "o-1", amount }).catch(() => {});
      }
      return sent.join(" ");
    };

    it("'auto' claims at once, and looks first at what this process has seen", async () => {
      expect(await requests("auto")).toBe("| claim complete | read | read");
    });

    it("'first' always looks first", async () => {
      expect(await requests("first")).toBe("| read claim complete | read | read");
    });

    it("'never' claims at once", async () => {
      expect(await requests("never")).toBe("| claim complete | claim | claim");
    });

    it("believes nothing but an answer to the same request: another one is refused after a claim only", async () => {
      expect(await requests("first", [5, 6])).toBe("| read claim complete | read claim");
    });

    it("that fails leaves it to the claim to say what is wrong", async () => {
      const fn = vi.fn(() => "done");
      const one = bench({ lookup: "first" }, (store) => ({
        ...store,
        read: () => Promise.reject(new Error("no read")),
      }));
      const call = make(fn, one.options);
      expect(await call({ id: "o-1" })).toBe("done");
      expect(await call({ id: "o-1" })).toBe("done");
      expect(fn).toHaveBeenCalledTimes(1);
    });
  });
}
