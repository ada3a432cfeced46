import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { IdempotencyConfigError, IdempotencyRecordError, IdempotencyStoreError } from "../../src/core/errors.ts";
import { IdempotencyKeyMissingError, IdempotencyPrincipalMissingError } from "../../src/core/refusals.ts";
import { type FirstWithinOptions, firstWithin } from "../../src/guards.ts";
import { idempotent } from "../../src/index.ts";
import { testingStore } from "../../src/testing.ts";

const operation = "resend-mail";
const seconds = (length: number) => ({ seconds: length });

function guard(more: Partial<FirstWithinOptions> = {}) {
  const store = testingStore();
  const outcome = async (key: unknown = "o-1", length = 10): Promise<string> =>
    (await firstWithin({ store, operation, ...more }, key, seconds(length))).outcome;
  return { store, outcome };
}

it("lets the first call pass and tells the others, until the window ends", async () => {
  const { store, outcome } = guard();
  expect([await outcome(), await outcome(), await outcome("o-2")]).toStrictEqual(["first", "duplicate", "first"]);
  store.advance({ seconds: 9.999 });
  expect(await outcome()).toBe("duplicate");
  store.advance({ seconds: 0.001 });
  expect([await outcome(), await outcome()]).toStrictEqual(["first", "duplicate"]);
});

it("says when the window ends, to the first and to the others", async () => {
  const { store } = guard();
  const begun = store.clock.now();
  const first = await firstWithin({ store, operation }, "o-1", seconds(10));
  store.advance(seconds(4));
  const second = await firstWithin({ store, operation }, "o-1", seconds(60));
  expect([first, second]).toStrictEqual([
    { outcome: "first", until: begun + 10_000 },
    { outcome: "duplicate", until: begun + 10_000 },
  ]);
});

it("begins a new window with the first call after the old one, not at a multiple of it", async () => {
  const { store, outcome } = guard();
  await outcome();
  store.advance(seconds(17));
  expect(await outcome()).toBe("first");
  store.advance(seconds(9.5));
  expect(await outcome()).toBe("duplicate");
  store.advance(seconds(0.5));
  expect(await outcome()).toBe("first");
});

it("lets exactly one of 50 calls at once pass, on a new key, and on one whose window has just ended", async () => {
  const { store, outcome } = guard();
  const burst = async (): Promise<number> =>
    (await Promise.all(Array.from({ length: 50 }, () => outcome()))).filter((one) => one === "first").length;
  expect(await burst()).toBe(1);
  // The lock has lapsed, and the item's expiry, a whole second, has not come yet.
  store.advance(seconds(10.0005));
  expect(await burst()).toBe(1);
  store.advance(seconds(60));
  expect(await burst()).toBe(1);
});

it("keeps no result, and an item that ends with the window", async () => {
  const { store, outcome } = guard();
  await outcome();
  const [record] = store.records();
  expect(record).toMatchObject({ status: "IN_PROGRESS", attempt: 1, fingerprint: undefined });
  expect(record?.expiresAt).toBe(Math.ceil((store.clock.now() + 10_000) / 1000));
  expect(record?.id).toMatch(/^resend-mail#[\w-]{43}$/);
});

describe("keys", () => {
  it("of several parts are told apart, and none may be missing", async () => {
    const { store, outcome } = guard();
    expect([await outcome(["a#b", "c"]), await outcome(["a", "b#c"])]).toStrictEqual(["first", "first"]);
    for (const key of [undefined, null, "", ["a", undefined], ["a", ""], { customer: null }]) {
      await expect(firstWithin({ store, operation }, key, seconds(10))).rejects.toThrow(IdempotencyKeyMissingError);
    }
    expect([await outcome(0), await outcome(false)]).toStrictEqual(["first", "first"]);
  });

  it("of two principals, and of nobody, never meet", async () => {
    const { store } = guard();
    const outcomes: string[] = [];
    for (const principal of ["ann", "bob", ["ann"], false]) {
      outcomes.push((await firstWithin({ store, operation, principal }, "k", seconds(10))).outcome);
    }
    outcomes.push((await firstWithin({ store, operation }, "k", seconds(10))).outcome);
    expect(outcomes).toStrictEqual(["first", "first", "first", "first", "duplicate"]);
  });

  it.each([[undefined], [null], [""], [[]], [["t", undefined]]])(
    "of a principal that is %j are refused, not shared",
    async (principal) => {
      const { store, outcome } = guard({ principal });
      await expect(outcome()).rejects.toThrow(IdempotencyPrincipalMissingError);
      expect(store.records()).toStrictEqual([]);
    },
  );

  it("of another operation never meet, nor records of idempotent() under the same name and key", async () => {
    const { store, outcome } = guard();
    let runs = 0;
    const resend = idempotent(async (_id: string) => ++runs, { store, operation });
    await resend("o-1");
    expect(await outcome("o-1")).toBe("first");
    expect([await resend("o-1"), await resend("o-2")]).toStrictEqual([1, 2]);
    const other = await firstWithin({ store, operation: "another" }, "o-1", seconds(10));
    expect([await outcome("o-2"), other.outcome]).toStrictEqual(["first", "first"]);
  });
});

describe("a store that fails", () => {
  it("lets nobody pass, and its error through", async () => {
    const { store, outcome } = guard();
    store.failNext("claim");
    await expect(outcome()).rejects.toThrow(IdempotencyStoreError);
    expect(await outcome()).toBe("first");
  });

  it("after the claim was written takes it back, so that the caller's next try passes", async () => {
    const { store, outcome } = guard();
    store.failNext("claim", { responseLost: true });
    await expect(outcome()).rejects.toThrow(IdempotencyStoreError);
    expect(await outcome()).toBe("first");
  });

  it("and cannot take it back either blocks the key no longer than the window", async () => {
    const { store, outcome } = guard();
    store.failNext("claim", { responseLost: true });
    store.failNext("release");
    await expect(outcome()).rejects.toThrow("failNext('claim')");
    expect(await outcome()).toBe("duplicate");
    store.advance(seconds(10));
    expect(await outcome()).toBe("first");
  });

  it("below its own retry is known by its owner: a lost response is not a duplicate", async () => {
    const { store } = guard();
    const retrying = {
      ...store,
      claim: async (request: Parameters<typeof store.claim>[0]) => {
        await store.claim(request);
        return store.claim(request);
      },
    };
    const first = await firstWithin({ store: retrying, operation }, "o-1", seconds(10));
    expect(first).toStrictEqual({ outcome: "first", until: store.clock.now() + 10_000 });
    expect((await firstWithin({ store: retrying, operation }, "o-1", seconds(10))).outcome).toBe("duplicate");
  });

  it("is busy three times: nobody passes", async () => {
    const { store } = guard();
    let asked = 0;
    const busy = { ...store, claim: async () => ({ outcome: "busy", asked: ++asked }) as const };
    await expect(firstWithin({ store: busy, operation }, "o-1", seconds(10))).rejects.toThrow("3 times in a row");
    expect(asked).toBe(3);
  });

  it("holds what is no window: a record error, and nobody passes", async () => {
    const { store } = guard();
    for (const found of [{ status: "UNREADABLE", id: "x", reason: "v is 9" } as const]) {
      const corrupt = { ...store, claim: async () => ({ outcome: "conflict", found }) as const };
      await expect(firstWithin({ store: corrupt, operation }, "o-1", seconds(10))).rejects.toThrow(
        IdempotencyRecordError,
      );
    }
  });
});

it.each<[unknown, unknown, string]>([
  [undefined, seconds(1), "firstWithin() was given undefined; allowed is an object with store"],
  [{ operation }, seconds(1), "store is undefined"],
  [{ store: {}, operation }, seconds(1), "store is an object"],
  [{ store: testingStore() }, seconds(1), "operation is undefined"],
  [{ store: testingStore(), operation: "a b" }, seconds(1), "operation is 'a b'"],
  [{ store: testingStore(), operation, ttl: 1 }, seconds(1), "firstWithin() has no option 'ttl'"],
  [{ store: testingStore(), operation }, 10, "window is 10"],
  [{ store: testingStore(), operation }, {}, "window is {}"],
  [{ store: testingStore(), operation }, { seconds: -1 }, "window is { seconds: -1 }"],
  [{ store: testingStore(), operation }, undefined, "window is undefined"],
])("refuses the options %j and the window %j", async (options, length, sentence) => {
  const call = firstWithin(options as FirstWithinOptions, "k", length as { seconds: number });
  await expect(call).rejects.toThrow(IdempotencyConfigError);
  await expect(call).rejects.toThrow(sentence);
});

test.prop([fc.array(fc.tuple(fc.nat({ max: 40 }), fc.integer({ min: 1, max: 32 })), { maxLength: 30 })])(
  "passes a call exactly where no window of an earlier one is open, whatever the pauses and the lengths",
  async (calls) => {
    const { store } = guard();
    let open = 0;
    // In eighths of a second, which are exact.
    for (const [pause, length] of calls) {
      if (pause > 0) store.advance({ seconds: pause / 8 });
      const now = store.clock.now();
      const { outcome, until } = await firstWithin({ store, operation }, "k", { seconds: length / 8 });
      expect(outcome).toBe(now >= open ? "first" : "duplicate");
      if (outcome === "first") open = now + length * 125;
      expect(until).toBe(open);
    }
  },
);
