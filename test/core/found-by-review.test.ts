// Each of these faults was seen by a reviewer.

import { currentClaim, idempotent, memoryStore } from "lambda-once";
import { memoryTables, testingStore } from "lambda-once/testing";
import { describe, expect, it, vi } from "vitest";
import { begin } from "../../src/core/begin.ts";
import type { EpochSeconds } from "../../src/core/time.ts";
import { bench, count, failing, gate, hanging, putNew, request, settle, thrownBy } from "../support/claims.ts";

const inProgress = { status: "refused", error: { code: "in_progress" } };

it.each([
  ["a write is refused", "done", (u: ReturnType<typeof bench>) => u.tables.put("orders", { id: "o-1" })],
  ["its result cannot be stored", new Map(), () => undefined],
  ["the store denies it", "done", (u: ReturnType<typeof bench>) => u.next("commit", failing("access_denied"))],
] as const)("a commit that fails because %s does not free the key under a step at work", async (_, result, arrange) => {
  const under = bench();
  arrange(under);
  const claim = await under.claim();
  const charging = gate<string>();
  claim.step("charge", () => charging.opened).catch(() => undefined);
  await settle();
  claim.write([putNew({ id: "o-1" })]);
  const returned = thrownBy(claim.returned(result));
  await settle();
  const second = await under.begin();
  charging.open("ch-1");
  await returned;
  expect(second).toMatchObject(inProgress);
});

it.each(["threw", "returned"] as const)(
  "a step left at work that ends in a time-out does not free the key (%s)",
  async (how) => {
    const under = bench({ remember: () => "release" });
    const claim = await under.claim();
    const charging = gate<string>();
    claim.step("charge", () => charging.opened).catch(() => undefined);
    await settle();
    const ending = how === "threw" ? claim.threw(new Error("the neighbour failed")) : claim.returned(503);
    await settle();
    charging.fail(new DOMException("no answer", "TimeoutError"));
    await ending;
    expect(await under.begin()).toMatchObject(inProgress);
  },
);

describe("a step that follows another one after the function is over", () => {
  it("does not run beside the next attempt", async () => {
    const second = gate<void>();
    let [atWork, most, runs] = [0, 0, 0];
    const pay = idempotent(
      async (_: { id: string }) => {
        const claim = currentClaim();
        const both = (async () => {
          await claim.step("a", async () => {
            await settle();
            return "A";
          });
          await claim.step("b", async () => {
            most = Math.max(most, ++atWork);
            await second.opened;
            atWork--;
            return "B";
          });
        })();
        if (++runs === 1) await Promise.all([both, Promise.reject(new Error("neighbour"))]);
        await both;
        return "done";
      },
      { store: memoryStore(), operation: "pay", key: "id" },
    );
    await expect(pay({ id: "1" })).rejects.toThrow("neighbour");
    const again = pay({ id: "1" });
    for (let turn = 0; turn < 5; turn++) await settle();
    second.open();
    expect(await again).toBe("done");
    expect(most).toBe(1);
  });

  it.each(["threw", "returned"] as const)(
    "and is to begin once leaves no mark where it never began (%s)",
    async (how) => {
      const under = bench({ remember: () => "release" });
      const claim = await under.claim();
      const a = gate<string>();
      const fn = vi.fn(() => "B");
      void (async () => {
        await claim.step("a", () => a.opened);
        await claim.step("b", fn, { once: true });
      })().catch(() => undefined);
      await settle();
      const ending = how === "threw" ? claim.threw(new Error("x")) : claim.returned(503);
      await settle();
      a.open("A");
      await ending;
      await settle();
      expect(fn).not.toHaveBeenCalled();
      expect(await (await under.claim()).step("b", fn, { once: true })).toBe("B");
    },
  );
});

it("a renewal that arrives late does not shorten the lock", async () => {
  const under = bench({ lockFor: 9_000 });
  const claim = await under.claim();
  let late: (() => Promise<unknown>) | undefined;
  under.next("renew", (sent) => {
    late = () => under.store.renew(sent);
    return hanging();
  });
  // Renewals at 3 s (no answer), 6.75 s, 9.75 s.
  for (let passed = 0; passed < 12_500; passed += 100) {
    under.time.advance(100);
    await settle();
  }
  await late?.();
  expect(claim.remainingTimeInMillis()).toBeGreaterThan(4_000);
  expect(await under.begin()).toMatchObject(inProgress);
});

it("at the commit: a duplicate whose error is to be kept gets the answer that was committed", async () => {
  const under = bench({ claimAt: "commit", remember: () => "keep" });
  const [first, second] = [await under.claim(), await under.claim()];
  first.write([count("o-1")]);
  await first.returned("placed");
  expect(await second.threw(new Error("already placed"))).toMatchObject({ status: "replayed", result: "placed" });
});

describe("writes without a claim", () => {
  const under = (fn: () => Promise<string>) => {
    const tables = memoryTables({ orders: { key: ["id"] } });
    const options = { store: memoryStore({ tables }), operation: "f", key: "id", whenKeyMissing: "run" } as const;
    return { tables, call: idempotent(async (_: { id?: string }) => fn(), options) };
  };
  it("are carried out once by two commits at once", async () => {
    const { tables, call } = under(async () => {
      const claim = currentClaim();
      claim.write(count("stock"));
      await Promise.allSettled([claim.commit([count("a")]), claim.commit([count("b")])]);
      return "done";
    });
    await call({});
    expect(tables.get("orders", { id: "stock" })).toMatchObject({ n: 1 });
  });
  it("given while a commit is under way are not lost without a word", async () => {
    const { tables, call } = under(async () => {
      const claim = currentClaim();
      const committing = claim.commit([count("a")]);
      claim.write(count("b"));
      await committing;
      return "done";
    });
    const answer = await call({}).catch((error: unknown) => error);
    expect(answer === "done" && tables.get("orders", { id: "b" }) === undefined).toBe(false);
  });
});

it.each([
  ["expiresAt in milliseconds", { expiresAt: { N: "1800000000000" } }],
  ["an owner that is a number", { owner: { N: "7" } }],
  ["a createdAt that is text", { createdAt: { S: "x" } }],
  ["an attempt that is text", { attempt: { S: "x" } }],
])("a token's item with %s is refused and left alone", async (_, more) => {
  const under = bench();
  const sound = { id: { S: "op#1" }, v: { N: "1" }, status: { S: "ISSUED" }, owner: { S: "x" }, attempt: { N: "0" } };
  const stored = { ...sound, createdAt: { N: "1700000000000" }, expiresAt: { N: "1800000000" }, ...more };
  under.store.items.set("op#1", stored as never);
  const begun = await under.begin({ issuedUntil: 1_800_000_000 as EpochSeconds });
  expect(begun).toMatchObject({ status: "refused", error: { code: "record_corrupt" } });
  expect(under.store.items.get("op#1")).toBe(stored);
});

const OLD = "an old secret of thirty-two bytes or more";
const NEW = "a new secret of thirty-two bytes or more";
it.each(["reject", "rerun"] as const)(
  "a replay under a previous secret that dies before it gives its claim back does not hide the result (%s)",
  async (whenAbandoned) => {
    let now = 1_700_000_000_000;
    const store = memoryStore({ clock: { now: () => now as never } });
    const make = (secret: readonly [string, ...string[]], own = store) =>
      idempotent(async (_: { id: string }) => "done", { store: own, operation: "f", key: "id", whenAbandoned, secret });
    await make([OLD])({ id: "1" });
    expect(await make([NEW, OLD], { ...store, release: failing("access_denied") })({ id: "1" })).toBe("done");
    if (whenAbandoned === "reject") now += 120_000;
    expect(await make([NEW, OLD])({ id: "1" })).toBe("done");
  },
);

describe("no function begins after its deadline", () => {
  it("where the look before a commit takes the time", async () => {
    const under = bench({ claimAt: "commit" });
    under.next("read", hanging);
    const begun = under.begin({ lookFirst: true });
    await settle();
    under.time.advance(29_500);
    expect(await begun).toMatchObject({ status: "refused", error: { code: "no_time_left" } });
  });
  it("where giving the current id back takes it, while a secret is rotated", async () => {
    const under = bench();
    const old = await under.claim({ id: "op#old" });
    await old.step("a", () => 1);
    await old.threw(new Error("declined"));
    under.next("release", hanging);
    const begun = begin(under.engine, request, [{ ...request, id: "op#old" }]);
    await settle();
    under.time.advance(29_900);
    expect(await begun).toMatchObject({ status: "refused", error: { code: "no_time_left" } });
  });
});

it("the contexts of calls that have ended are not kept by calls that they started", async () => {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const [stop, over] = [gate<string>(), gate<number>()];
  const store = memoryStore();
  const working = idempotent(async (_: string) => stop.opened, { store, operation: "other" })("x"); // another call is at work
  const kept: WeakRef<object>[] = [];
  const job = idempotent(
    async (n: number, _: object): Promise<number> => {
      setTimeout(() => {
        if (n === 300) {
          gc(); // From inside the chain, as an endless worker is.
          setTimeout(() => {
            gc();
            over.open(kept.filter((ref) => ref.deref() !== undefined).length);
          }, 20);
          return;
        }
        const context = { getRemainingTimeInMillis: () => 30_000 };
        kept.push(new WeakRef(context));
        void job(n + 1, context);
      }, 0);
      return n;
    },
    { store, operation: "job", key: (n: number, _: object) => n },
  );
  await job(0, {});
  const alive = await over.opened;
  stop.open("x");
  await working;
  expect(alive).toBeLessThan(30);
});

it.each([{}, { once: true }])("a step that is still at work when its commit fails is recorded: %j", async (options) => {
  const under = bench();
  under.tables.put("orders", { id: "o-1" });
  const claim = await under.claim();
  const charging = gate<string>();
  const charge = claim.step("charge", () => charging.opened, options).catch((error: unknown) => error);
  await settle();
  claim.write([putNew({ id: "o-1" })]);
  const returned = thrownBy(claim.returned("done"));
  await settle();
  charging.open("ch-1");
  expect(await returned).toMatchObject({ code: "write_conflict" });
  expect(await charge).toBe("ch-1");
  const again = vi.fn(() => "ch-2");
  expect(await (await under.claim()).step("charge", again, options)).toBe("ch-1");
  expect(again).not.toHaveBeenCalled();
});

it.each([
  [3_000, 1_990, 60, true],
  [1_500, 900, 0, false],
])("the wait for a step ends within the Lambda's time of %i ms", async (remaining, until, takes, usesSignal) => {
  const under = bench();
  under.tables.put("orders", { id: "o-1" });
  const claim = await under.claim({ remaining });
  if (usesSignal) void claim.signal;
  claim.step("charge", () => new Promise(() => {})).catch(() => undefined);
  await settle();
  claim.write([putNew({ id: "o-1" })]);
  under.time.advance(until);
  await settle();
  let error: unknown;
  void thrownBy(claim.returned("done")).then((thrown) => {
    error = thrown;
  });
  await settle();
  under.time.advance(takes);
  for (let at = until + takes; at < remaining; at += 10) {
    await settle();
    under.time.advance(10);
  }
  await settle();
  expect(error).toMatchObject({ code: "write_conflict" });
});

describe("a step that ends in a time-out which nobody handles", () => {
  const failing = (charge: (signal: AbortSignal) => Promise<never>, cleaningUp: () => Promise<unknown>) => {
    const store = testingStore();
    const call = idempotent(
      async (_: string) => {
        const claim = currentClaim();
        const abort = new AbortController();
        try {
          await Promise.all([
            claim.step("charge", () => charge(abort.signal)),
            claim.step("reserve", async () => {
              await settle();
              abort.abort();
              throw new Error("sold out");
            }),
          ]);
        } finally {
          await cleaningUp();
        }
        return "x";
      },
      { store, operation: "charge" },
    );
    return { store, call };
  };

  it("holds the key where its sibling's failure has aborted it", async () => {
    const { store, call } = failing(
      (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      async () => undefined,
    );
    await expect(call("1")).rejects.toThrow();
    expect(store.records()).toMatchObject([{ status: "IN_PROGRESS" }]);
  });

  it("holds the key where it ends while the function cleans up", async () => {
    const late = gate<never>();
    const { store, call } = failing(
      () => late.opened,
      async () => {
        late.fail(new DOMException("no answer", "TimeoutError"));
        await settle();
      },
    );
    await expect(call("1")).rejects.toThrow("sold out");
    expect(store.records()).toMatchObject([{ status: "IN_PROGRESS" }]);
  });
});

it("a duplicate under a rotated secret does not wait for the look at the older id", async () => {
  const under = bench();
  await under.claim();
  under.next("read", hanging);
  let begun: unknown;
  void begin(under.engine, request, [{ ...request, id: "op#old" }]).then((one) => {
    begun = one;
  });
  for (let passed = 0; passed < 2_000; passed += 100) {
    under.time.advance(100);
    await settle();
  }
  expect(begun).toMatchObject(inProgress);
});

describe("time-outs of steps that the function has dealt with do not hold the key", () => {
  const timeout = () => Promise.reject(new DOMException("no answer", "TimeoutError"));
  const no = () => undefined;

  it("where it then throws an ordinary error", async () => {
    const under = bench();
    const claim = await under.claim();
    for (const name of ["try-1", "try-2"]) await claim.step(name, timeout).catch(no);
    await claim.step("look", () => "not charged");
    await claim.threw(new Error("card declined"));
    expect(await under.begin()).toMatchObject({ status: "claimed" });
  });

  it("where another step has failed before, and its answer is not remembered", async () => {
    const under = bench({ remember: () => "release" });
    const claim = await under.claim();
    await claim.step("coupon", () => Promise.reject(new Error("no such coupon"))).catch(no);
    await claim.step("charge", timeout).catch(no);
    await claim.returned(402);
    expect(await under.begin()).toMatchObject({ status: "claimed" });
  });

  it("where a name was used twice before, and its commit is refused", async () => {
    const under = bench();
    under.tables.put("orders", { id: "o-1" });
    const claim = await under.claim();
    await claim.step("a", () => 1);
    await claim.step("a", () => 1).catch(no);
    await claim.step("charge", timeout).catch(no);
    claim.write([putNew({ id: "o-1" })]);
    await claim.returned("x").catch(no);
    expect(await under.begin()).toMatchObject({ status: "claimed" });
  });
});

it("a step that is left at work is recorded where the answer is held", async () => {
  const under = bench({ remember: () => "hold" });
  const claim = await under.claim();
  const charging = gate<string>();
  const charge = claim.step("charge", () => charging.opened).catch((error: unknown) => error);
  await settle();
  const ending = claim.returned(202);
  await settle();
  charging.open("ch-1");
  await ending;
  expect(await charge).toBe("ch-1");
});

it("the result is encoded before its owner changes it, with a step at work", async () => {
  const under = bench();
  const claim = await under.claim();
  const charging = gate<string>();
  claim.step("charge", () => charging.opened).catch(() => undefined);
  await settle();
  claim.write([count("o-1")]);
  const result = { lines: ["a"] };
  const ending = claim.returned(result);
  await settle();
  result.lines.push("changed");
  charging.open("ch-1");
  await ending;
  expect(await under.begin()).toMatchObject({ status: "replayed", result: { lines: ["a"] } });
});

// A result whose writes were not committed must not be returned as if they were.
it("with writes, a claim that is held while it waits for a step does not return its result", async () => {
  const under = bench();
  const claim = await under.claim();
  const charging = gate<string>();
  claim.step("charge", () => charging.opened).catch(() => undefined);
  await settle();
  claim.write([putNew({ id: "o-1" })]);
  const returned = claim.returned("done");
  await settle();
  claim.hold("timed out");
  charging.open("ch-1");
  await expect(returned).rejects.toMatchObject({ code: "config" });
  expect(under.tables.get("orders", { id: "o-1" })).toBeUndefined();
  expect(await under.begin()).toMatchObject(inProgress);
});
