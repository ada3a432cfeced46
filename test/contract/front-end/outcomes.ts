import { describe, expect, it, vi } from "vitest";
import { IdempotencyOutcomeUnknownError, isIdempotencyError } from "../../../src/index.ts";
import { bench, codeOf, contextWith, type FrontEnd, type FrontEndOptions, onStandingClock, thrownBy } from "./kit.ts";

class CardDeclined extends Error {
  override readonly name = "CardDeclined";
  readonly code = "card_declined";
  readonly statusCode = 402;
  readonly expose = true;
  readonly card = "4242-4242-4242";
}

const named = (name: string): Error => Object.assign(new Error("the provider did not answer"), { name });

/** A function that throws `error` on its first run and answers on every later one. */
function failingOnce(error: unknown): ReturnType<typeof vi.fn<() => Promise<string>>> {
  let runs = 0;
  return vi.fn(async () => {
    if (++runs === 1) throw error;
    return "done";
  });
}

const keep = (): "keep" => "keep";

/** What becomes of the key after the function. */
export function describeOutcomes(make: FrontEnd): void {
  describe("a function that throws", () => {
    it.each([
      ["an Error", new RangeError("out of stock")],
      ["an error of a class with facts", new CardDeclined("no funds")],
      ["a string", "out of stock"],
      ["undefined", undefined],
      ["null", null],
      ["0", 0],
    ])(
      "has %s passed through as it is, and the next call runs (bad input: throws an Error; throws a string; throws `undefined`)",
      async (_, error) => {
        const fn = failingOnce(error);
        const { options, store, turns } = bench();
        const call = make(fn, options);
        expect(await thrownBy(call({ id: "o-1" }))).toBe(error);
        expect(store.items.size).toBe(0);
        expect(await call({ id: "o-1" })).toBe("done");
        expect(await call({ id: "o-1" })).toBe("done");
        expect(fn).toHaveBeenCalledTimes(2);
        expect(turns()).toStrictEqual(["claimed", "released", "claimed", "completed", "replayed"]);
      },
    );

    it("has what it throws synchronously passed through as well", async () => {
      const error = new Error("at once");
      const one = bench();
      const call = make(() => {
        throw error;
      }, one.options);
      expect(await thrownBy(call({ id: "o-1" }))).toBe(error);
      expect(one.store.items.size).toBe(0);
    });

    it.each([
      ["IdempotencyOutcomeUnknownError", new IdempotencyOutcomeUnknownError("the provider timed out")],
      ["the TimeoutError of AbortSignal.timeout()", new DOMException("timed out", "TimeoutError")],
      ["an AbortError", new DOMException("aborted", "AbortError")],
      ["an error named TimeoutError by the AWS SDK", named("TimeoutError")],
    ])(
      "holds the key after %s, and is run again as attempt 2 when the lock has lapsed (bad input: throws after the provider timed out (`IdempotencyOutcomeUnknownError`))",
      async (_, error) => {
        const attempts: number[] = [];
        const failing = failingOnce(error);
        const one = bench({ lockFor: { minutes: 1 } });
        const call = make((_order, claim) => {
          attempts.push(claim.attempt);
          return failing();
        }, one.options);
        expect(await thrownBy(call({ id: "o-1" }))).toBe(error);
        expect(one.item()).toMatchObject({ status: { S: "IN_PROGRESS" }, attempt: { N: "1" } });
        expect(one.turns()).toStrictEqual(["claimed", "held"]);
        expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
        one.clock.set(one.clock.now() + 60_000);
        expect(await call({ id: "o-1" })).toBe("done");
        expect(attempts).toStrictEqual([1, 2]);
      },
    );

    it(
      "holds the key when it fails after its deadline, whatever it throws",
      onStandingClock(async () => {
        const one = bench();
        const fail = vi.fn(
          async (_order: unknown, claim: { readonly signal: AbortSignal; remainingTimeInMillis(): number }) => {
            expect(claim.signal.aborted).toBe(false);
            await vi.advanceTimersByTimeAsync(9_500);
            expect(claim.signal.aborted).toBe(true);
            expect(claim.remainingTimeInMillis()).toBe(0);
            throw new Error("the socket was closed");
          },
        );
        const call = make(fail, one.options);
        expect(await thrownBy(call({ id: "o-1" }, contextWith(10_000)))).toMatchObject({
          message: "the socket was closed",
        });
        expect(one.item()).toMatchObject({ status: { S: "IN_PROGRESS" } });
        expect(one.turns()).toStrictEqual(["claimed", "held"]);
        expect(await codeOf(call({ id: "o-1" }, contextWith(10_000)))).toBe("in_progress");
        expect(fail).toHaveBeenCalledTimes(1);
      }),
    );

    it(
      "releases the key when it fails a moment before its deadline",
      onStandingClock(async () => {
        const one = bench();
        const call = make(async () => {
          vi.advanceTimersByTime(9_499);
          throw new Error("out of stock");
        }, one.options);
        expect(await thrownBy(call({ id: "o-1" }, contextWith(10_000)))).toMatchObject({ message: "out of stock" });
        expect(one.store.items.size).toBe(0);
      }),
    );
  });

  describe("remember", () => {
    it("keeps an error: its facts are thrown again, without its stack or anything else of it", async () => {
      const first = Object.assign(new CardDeclined("no funds"), { stack: "at the first call" });
      const fn = failingOnce(first);
      const one = bench({ remember: keep });
      const call = make(fn, one.options);
      expect(await thrownBy(call({ id: "o-1" }))).toBe(first);
      const second = (await thrownBy(call({ id: "o-1" }))) as Error;
      expect(second).toMatchObject({
        name: "CardDeclined",
        message: "no funds",
        code: "card_declined",
        statusCode: 402,
        expose: true,
      });
      expect(second.constructor.name).toBe("IdempotencyRememberedError");
      expect(second).not.toBe(first);
      expect(second.stack).not.toContain("at the first call");
      expect(second).not.toHaveProperty("card");
      expect(isIdempotencyError(second)).toBe(false);
      expect(JSON.stringify(one.item())).not.toMatch(/4242-4242|at the first call/);
      expect(fn).toHaveBeenCalledTimes(1);
      expect(one.turns()).toStrictEqual(["claimed", "error_kept", "replayed"]);
    });

    it.each([
      ["a string", "out of stock", { name: "Error", message: "out of stock" }],
      ["undefined", undefined, { name: "Error", message: "a thrown undefined" }],
      ["an Error without facts", new TypeError("no"), { name: "TypeError", message: "no" }],
    ])("keeps %s that was thrown", async (_, error, facts) => {
      const fn = failingOnce(error);
      const call = make(fn, bench({ remember: keep }).options);
      expect(await thrownBy(call({ id: "o-1" }))).toBe(error);
      const again = await thrownBy(call({ id: "o-1" }));
      expect(again).toMatchObject(facts);
      for (const fact of ["code", "statusCode", "expose"]) expect(again).not.toHaveProperty(fact);
      expect(fn).toHaveBeenCalledTimes(1);
    });

    it("is told the outcome and the attempt, and never of an unknown outcome", async () => {
      const remember = vi.fn((): "release" => "release");
      const one = bench({ remember });
      const error = new Error("no");
      await thrownBy(make(failingOnce(error), one.options)({ id: "o-1" }));
      await make(() => "done", one.options)({ id: "o-1" });
      await thrownBy(make(failingOnce(new IdempotencyOutcomeUnknownError()), one.options)({ id: "o-1" }));
      expect(remember.mock.calls).toStrictEqual([
        [
          { status: "threw", error },
          { attempt: 1, steps: [] },
        ],
        [
          { status: "returned", result: "done" },
          { attempt: 1, steps: [] },
        ],
      ]);
    });

    it("gives the key back after a result that is not to be kept (P20)", async () => {
      const fn = vi.fn(() => ({ statusCode: 503 }));
      const one = bench({ remember: () => "release" });
      const call = make(fn, one.options);
      expect(await call({ id: "o-1" })).toStrictEqual({ statusCode: 503 });
      expect(one.store.items.size).toBe(0);
      expect(await call({ id: "o-1" })).toStrictEqual({ statusCode: 503 });
      expect(fn).toHaveBeenCalledTimes(2);
    });

    const unclear: readonly [string, NonNullable<FrontEndOptions["remember"]>][] = [
      ["answers 'hold'", () => "hold"],
      [
        "throws",
        () => {
          throw new Error("a fault in remember");
        },
      ],
      ["answers nonsense", () => "maybe" as never],
      ["answers nothing", (() => undefined) as never],
      ["answers a promise", (async () => "keep") as never],
    ];
    it.each(unclear)("leaves the key locked where it %s, and the caller gets the outcome", async (_, remember) => {
      const fn = vi.fn(() => "done");
      const one = bench({ remember });
      const call = make(fn, one.options);
      expect(await call({ id: "o-1" })).toBe("done");
      expect(one.item()).toMatchObject({ status: { S: "IN_PROGRESS" } });
      expect(one.turns()).toContain("held");
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
      expect(fn).toHaveBeenCalledTimes(1);
      const error = new Error("no");
      expect(await thrownBy(make(failingOnce(error), one.options)({ id: "o-2" }))).toBe(error);
      expect(await codeOf(call({ id: "o-2" }))).toBe("in_progress");
    });
  });
}
