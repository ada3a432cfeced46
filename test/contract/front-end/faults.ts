import { describe, expect, it, vi } from "vitest";
import { IdempotencyStoreError } from "../../../src/index.ts";
import {
  bench,
  bytesOf,
  codeOf,
  contextWith,
  type FrontEnd,
  number,
  onStandingClock,
  over,
  tamper,
  text,
  thrownBy,
} from "./kit.ts";

const failure = (reason: IdempotencyStoreError["reason"] = "access_denied"): IdempotencyStoreError =>
  new IdempotencyStoreError({ reason, detail: "no permission for dynamodb:PutItem" });

/** Carries a verb out and loses its response, `times` times. */
function losing<A>(times: number, carryOut: () => Promise<A>): { readonly verb: () => Promise<A>; lost(): number } {
  let lost = 0;
  return {
    lost: () => lost,
    async verb() {
      const answer = await carryOut();
      if (lost++ < times) throw failure("timeout");
      return answer;
    },
  };
}

/** What happens when the store, a record or an observer is at fault. */
export function describeFaults(make: FrontEnd): void {
  describe("a store that fails", () => {
    it.each([
      ["its own error", failure("missing_table"), "missing_table"],
      ["an error of any kind", new TypeError("no socket"), "unavailable"],
    ])("at the claim with %s keeps the function from running", async (_, error, reason) => {
      const fn = vi.fn(() => "done");
      const one = bench({}, (store) => over(store, { claim: () => Promise.reject(error) }));
      expect(await thrownBy(make(fn, one.options)({ id: "o-1" }))).toMatchObject({
        name: "IdempotencyStoreError",
        code: "store_failed",
        statusCode: 503,
        reason,
      });
      expect(fn).not.toHaveBeenCalled();
      expect(one.turns()).toStrictEqual(["refused"]);
    });

    it("at the claim, after having written it, has the claim taken back", async () => {
      const one = bench({}, (store) =>
        over(store, { claim: async (request) => store.claim(request).then(() => Promise.reject(failure("timeout"))) }),
      );
      expect(await codeOf(make(() => "done", one.options)({ id: "o-1" }))).toBe("store_failed");
      expect(one.store.items.size).toBe(0);
    });

    it("at the claim is told as such, also where taking the claim back fails", async () => {
      const broken = (): Promise<never> => Promise.reject(failure("throttled"));
      const fn = vi.fn(() => "done");
      const one = bench({}, (store) => over(store, { claim: broken, release: broken }));
      expect(await thrownBy(make(fn, one.options)({ id: "o-1" }))).toMatchObject({
        code: "store_failed",
        reason: "throttled",
      });
      expect(fn).not.toHaveBeenCalled();
    });

    it("recognises its own claim when the response was lost and the transport sent it again (P9)", async () => {
      const fn = vi.fn(() => "done");
      const one = bench({}, (store) =>
        over(store, { claim: (request) => store.claim(request).then(() => store.claim(request)) }),
      );
      const call = make(fn, one.options);
      expect(await call({ id: "o-1" })).toBe("done");
      expect(await call({ id: "o-1" })).toBe("done");
      expect(fn).toHaveBeenCalledTimes(1);
      expect(one.turns()).toStrictEqual(["claimed", "completed", "replayed"]);
    });

    it("recognises its own takeover when the response was lost (P9)", async () => {
      const attempts: number[] = [];
      const one = bench({ remember: () => (attempts.length === 1 ? "hold" : "keep") }, (store) =>
        over(store, {
          claim: (request) =>
            request.from === undefined ? store.claim(request) : store.claim(request).then(() => store.claim(request)),
        }),
      );
      const call = make((_, claim) => `attempt ${attempts.push(claim.attempt)}`, one.options);
      await call({ id: "o-1" });
      one.clock.set(one.clock.now() + 60_000);
      expect(await call({ id: "o-1" })).toBe("attempt 2");
      expect(attempts).toStrictEqual([1, 2]);
    });

    it("recognises its own result when the response to the save was lost (P9)", async () => {
      const fn = vi.fn(() => "done");
      const one = bench({}, (store) => {
        const lossy = losing(1, async () => ({ outcome: "written" }) as const);
        return over(store, {
          complete: async (request) =>
            (await store.complete(request)).outcome === "written" ? lossy.verb() : store.complete(request),
        });
      });
      const call = make(fn, one.options);
      expect(await call({ id: "o-1" })).toBe("done");
      expect(one.turns()).toStrictEqual(["claimed", "completed"]);
      expect(await call({ id: "o-1" })).toBe("done");
      expect(fn).toHaveBeenCalledTimes(1);
    });

    it("at the save costs the record and never the result: the caller gets it, the key is held, the observer is told (P10)", async () => {
      const fn = vi.fn(() => ({ charged: 5 }));
      const error = failure();
      const one = bench({}, (store) => over(store, { complete: () => Promise.reject(error) }));
      const call = make(fn, one.options);
      expect(await call({ id: "o-1" })).toStrictEqual({ charged: 5 });
      expect(one.item()).toMatchObject({ status: { S: "IN_PROGRESS" } });
      expect(one.events.at(-1)).toMatchObject({ type: "save_failed", attempt: 1, error });
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
      expect(fn).toHaveBeenCalledTimes(1);
    });

    it("for a moment at the save is tried again", async () => {
      let tries = 0;
      const one = bench({}, (store) =>
        over(store, {
          complete: (request) => (++tries < 3 ? Promise.reject(failure("throttled")) : store.complete(request)),
        }),
      );
      const call = make(() => "done", one.options);
      expect(await call({ id: "o-1" })).toBe("done");
      expect(tries).toBe(3);
      expect(one.turns()).toStrictEqual(["claimed", "completed"]);
    });

    it("at the release does not hide the business error, and the observer is told (P19)", async () => {
      const business = new Error("out of stock");
      const error = failure();
      const one = bench({}, (store) => over(store, { release: () => Promise.reject(error) }));
      expect(
        await thrownBy(
          make(() => {
            throw business;
          }, one.options)({ id: "o-1" }),
        ),
      ).toBe(business);
      expect(one.events.at(-1)).toMatchObject({ type: "release_failed", attempt: 1, error });
    });

    it("at keeping an error does not hide the business error either (P19)", async () => {
      const business = new Error("out of stock");
      const one = bench({ remember: () => "keep" }, (store) =>
        over(store, { complete: () => Promise.reject(failure()) }),
      );
      const call = make(() => {
        throw business;
      }, one.options);
      expect(await thrownBy(call({ id: "o-1" }))).toBe(business);
      expect(one.turns()).toStrictEqual(["claimed", "save_failed"]);
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
    });

    it(
      "in a record that stays busy counts as in progress, and nothing runs",
      onStandingClock(async () => {
        const fn = vi.fn(() => "done");
        const one = bench({}, (store) => over(store, { claim: async () => ({ outcome: "busy" }) }));
        const refused = codeOf(make(fn, one.options)({ id: "o-1" }));
        await vi.advanceTimersByTimeAsync(1_000);
        expect(await refused).toBe("in_progress");
        expect(fn).not.toHaveBeenCalled();
      }),
    );
  });

  describe("a record that cannot be trusted (bad input: unknown status; completed without result; `v: 99`)", () => {
    it.each([
      ["of a newer version", { v: number(99) }],
      ["without a version", { v: undefined }],
      ["with an unknown status (P21)", { status: text("DONE") }],
      ["without a status (P21)", { status: undefined }],
      ["completed without a result (P22)", { result: undefined }],
      ["whose result is cut off", { result: text('{"placed":') }],
      ["with an encoding that nobody knows", { encoding: text("xml") }],
      ["without an owner", { owner: undefined }],
      ["whose expiry is text", { expiresAt: text("never") }],
    ])("%s is refused: nothing runs, nothing is changed, nothing is answered", async (_, change) => {
      const fn = vi.fn(() => ({ placed: true }));
      const one = bench();
      const call = make(fn, one.options);
      await call({ id: "o-1" });
      tamper(one, change);
      const before = bytesOf(one.item());
      for (let again = 0; again < 2; again++) {
        expect(await thrownBy(call({ id: "o-1" }, contextWith(30_000)))).toMatchObject({
          name: "IdempotencyRecordError",
          code: "record_corrupt",
          statusCode: 500,
          id: (one.item()["id"] as { S: string }).S,
        });
      }
      expect(bytesOf(one.item())).toBe(before);
      expect(fn).toHaveBeenCalledTimes(1);
    });
  });

  describe("an observer", () => {
    const broken: readonly [string, () => void][] = [
      [
        "throws",
        () => {
          throw new Error("the log is full");
        },
      ],
      ["rejects", (() => Promise.reject(new Error("the log is full"))) as () => void],
    ];
    it.each(broken)("that %s changes nothing", async (_, observe) => {
      const unhandled = vi.fn();
      process.on("unhandledRejection", unhandled);
      try {
        const fn = vi.fn(() => "done");
        const call = make(fn, bench({ observe }).options);
        expect(await call({ id: "o-1" })).toBe("done");
        expect(await call({ id: "o-1" })).toBe("done");
        expect(fn).toHaveBeenCalledTimes(1);
        await new Promise((resolve) => setImmediate(resolve));
        expect(unhandled).not.toHaveBeenCalled();
      } finally {
        process.off("unhandledRejection", unhandled);
      }
    });

    it("sees every turn with the operation and the record's id, and nothing of the payload", async () => {
      const one = bench();
      const call = make(() => ({ card: "4242-4242-4242" }), one.options);
      await call({ id: "secret-key", amount: 5 });
      await call({ id: "secret-key", amount: 5 });
      await codeOf(call({ id: "secret-key", amount: 6 }));
      expect(await codeOf(call({}))).toBe("key_missing");
      const id = (one.item()["id"] as { S: string }).S;
      expect(one.events.map(({ operation: _, ...event }) => event)).toMatchObject([
        { type: "claimed", id, attempt: 1, takeover: false },
        { type: "completed", id, attempt: 1, bytes: 25 },
        { type: "replayed", id, attempt: 1 },
        { type: "refused", id, code: "key_reused" },
        { type: "refused", id: undefined, code: "key_missing" },
      ]);
      expect(new Set(one.events.map(({ operation }) => operation)).size).toBe(1);
      expect(JSON.stringify(one.events)).not.toMatch(/secret-key|4242-4242/);
    });
  });
}
