import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/core/engine.ts";
import { type Bench, bench, busy, count, failing, gate, hanging, settle, thrownBy } from "../support/claims.ts";
import { simulatedTime } from "../support/engine.ts";

/** A lock of 9 seconds under a caller that has 30; alarms are counted. */
function renewing(more: Partial<Engine> = {}): Bench & { readonly alarms: Set<object> } {
  const time = simulatedTime();
  const alarms = new Set<object>();
  const alarm: typeof time.runtime.alarm = (millis, ring) => {
    const one = {};
    alarms.add(one);
    const cancel = time.runtime.alarm(millis, () => {
      alarms.delete(one);
      ring();
    });
    return () => {
      alarms.delete(one);
      cancel();
    };
  };
  const watched = { ...time, runtime: { ...time.runtime, alarm } };
  return { ...bench({ lockFor: 9_000, ...more }, watched), alarms };
}

async function pass(under: Bench, millis: number): Promise<void> {
  for (let passed = 0; passed < millis; passed += 100) {
    under.time.advance(100);
    await settle();
  }
}
const renewals = (under: Bench): number => under.asked.filter((verb) => verb === "renew").length;
const lockOf = async (under: Bench): Promise<number> =>
  ((await under.found()) as { lockedUntil: number }).lockedUntil - under.time.now();

describe("the lock of a call that may run longer", () => {
  it("is renewed at a third of its length, up to the deadline, and then lapses", async () => {
    const under = renewing();
    const claim = await under.claim();
    const signal = claim.signal();
    await pass(under, 2_900);
    expect(renewals(under)).toBe(0);
    await pass(under, 100);
    expect(renewals(under)).toBe(1);
    expect(await lockOf(under)).toBe(9_000);
    await pass(under, 26_400);
    expect(signal.aborted).toBe(false);
    expect(renewals(under)).toBe(9);
    await pass(under, 100);
    expect(signal.aborted).toBe(true);
    await pass(under, 30_000);
    expect(renewals(under)).toBe(9);
    expect(under.alarms.size).toBe(0);
    expect((await under.claim()).attempt).toBe(2);
  });

  it("keeps others out while it is renewed", async () => {
    const under = renewing();
    await under.claim();
    await pass(under, 20_000);
    expect(await under.begin()).toMatchObject({ status: "refused", error: { code: "in_progress" } });
  });

  it.each([
    ["no lock is given", { lockFor: undefined }, 30_000],
    ["the lock is longer than the caller's time", { lockFor: 60_000 }, 30_000],
    ["nobody knows the caller's time", {}, undefined],
  ])("is not renewed where %s", async (_, options, remaining) => {
    const under = renewing(options);
    await under.claim({ remaining });
    await pass(under, 40_000);
    expect(renewals(under)).toBe(0);
  });

  it.each([
    ["returned", (under: Bench) => under.claim().then((claim) => claim.returned(1))],
    ["threw", (under: Bench) => under.claim().then((claim) => claim.threw(new Error("x")))],
    ["held", (under: Bench) => under.claim().then((claim) => claim.hold("x"))],
    ["cancelled", (under: Bench) => under.claim().then((claim) => claim.cancel())],
    ["committed", (under: Bench) => under.claim().then((claim) => claim.commit([count("a")], 1))],
    [
      "committed with its result",
      async (under: Bench) => {
        const claim = await under.claim();
        void claim.signal;
        claim.write([count("a")]);
        await claim.returned(1);
      },
    ],
  ] as const)("leaves no timer behind where the call has %s", async (_, end) => {
    const under = renewing();
    await end(under);
    expect(under.alarms.size).toBe(0);
    await pass(under, 10_000);
    expect(renewals(under)).toBe(0);
  });

  it("leaves no timer behind where a renewal was on its way at the end", async () => {
    const under = renewing();
    const claim = await under.claim();
    const way = gate();
    under.next("renew", async (sent) => {
      await way.opened;
      return under.store.renew(sent);
    });
    await pass(under, 3_000);
    await claim.returned("done");
    way.open();
    await settle();
    expect(under.alarms.size).toBe(0);
    expect(under.turns()).toStrictEqual(["claimed", "completed"]);
    expect(await under.found()).toMatchObject({ status: "COMPLETED" });
  });

  it("leaves no timer behind where a renewal was on its way when the key was held", async () => {
    const under = renewing();
    const claim = await under.claim();
    const way = gate();
    under.next("renew", async (sent) => {
      await way.opened;
      return under.store.renew(sent);
    });
    await pass(under, 3_000);
    claim.hold("its outcome is unknown");
    way.open();
    await settle();
    expect(under.alarms.size).toBe(0);
    await pass(under, 20_000);
    expect(renewals(under)).toBe(1);
  });

  it("that was lost aborts the signal at once, and nothing is renewed any more", async () => {
    const under = renewing();
    const claim = await under.claim();
    const signal = claim.signal();
    under.time.skew(10_000); // Another machine's clock says that the lock has lapsed.
    const second = await under.claim();
    await pass(under, 3_000);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: "claim_lost" });
    expect(claim.remainingTimeInMillis()).toBe(0);
    expect(under.turns().filter((turn) => turn === "claim_lost")).toHaveLength(1);
    await second.returned("the winner's");
    expect(await claim.threw(signal.reason)).toMatchObject({ status: "replayed", result: "the winner's" });
  });

  it("that was lost does not disturb its successor, whose record stays as it is", async () => {
    const under = renewing();
    await under.claim();
    await pass(under, 1_000);
    under.time.skew(10_000);
    await under.claim();
    const before = under.store.items.get("op#1");
    await pass(under, 2_000);
    expect(renewals(under)).toBe(1);
    expect(under.store.items.get("op#1")).toBe(before);
  });

  it("is tried again soon where a renewal fails, and told", async () => {
    const under = renewing();
    const signal = (await under.claim()).signal();
    under.next("renew", failing("throttled"), busy);
    await pass(under, 4_600);
    expect(renewals(under)).toBe(3);
    expect(under.turns()).toStrictEqual(["claimed", "renew_failed"]);
    expect(await lockOf(under)).toBeGreaterThan(8_000);
    expect(signal.aborted).toBe(false);
  });

  it("that cannot be renewed ends the function's time before the lock's end, and the tries with it", async () => {
    const under = renewing();
    const signal = (await under.claim()).signal();
    under.next("renew", ...Array(100).fill(failing("unavailable")));
    await pass(under, 8_400);
    expect(signal.aborted).toBe(false);
    await pass(under, 100);
    expect(signal.aborted).toBe(true);
    const tried = renewals(under);
    expect(tried).toBeLessThanOrEqual(10);
    await pass(under, 20_000);
    expect(renewals(under)).toBe(tried);
    expect(under.alarms.size).toBe(0);
  });

  it("whose renewal hangs is asked for again", async () => {
    const under = renewing();
    const signal = (await under.claim()).signal();
    under.next("renew", hanging);
    await pass(under, 8_400);
    expect(renewals(under)).toBeGreaterThanOrEqual(2);
    expect(await lockOf(under)).toBeGreaterThan(5_000);
    await pass(under, 3_000);
    expect(signal.aborted).toBe(false);
  });

  it("is counted from the moment when the renewal was sent, not when its answer came", async () => {
    const under = renewing();
    const claim = await under.claim();
    const way = gate();
    under.next(
      "renew",
      async (sent) => {
        const answer = await under.store.renew(sent);
        await way.opened;
        return answer;
      },
      ...Array(20).fill(failing("unavailable")),
    );
    await pass(under, 5_000);
    way.open();
    await settle();
    await pass(under, 6_400);
    expect(claim.signal().aborted).toBe(false);
    await pass(under, 100);
    expect(claim.signal().aborted).toBe(true);
    expect(claim.remainingTimeInMillis()).toBe(0);
  });

  it("of a frozen process lapses; once it is thawed it does not take its successor's for its own", async () => {
    const under = renewing();
    const claim = await under.claim();
    // Frozen: neither of its timers rings, and both clocks go on.
    under.time.skew(60_000);
    const second = await under.claim();
    claim.write([count("late")]);
    expect(await thrownBy(claim.returned("late"))).toMatchObject({ code: "claim_lost" });
    second.write([count("second")]);
    await second.returned("second");
    expect(under.tables.items("orders")).toStrictEqual([{ id: "second", n: 1 }]);
  });

  it("shorter than three margins is renewed before the function's time ends", async () => {
    const under = renewing({ lockFor: 600 });
    const signal = (await under.claim()).signal();
    for (let passed = 0; passed < 5_000; passed += 10) {
      under.time.advance(10);
      await settle();
    }
    expect(signal.aborted).toBe(false);
    expect(await lockOf(under)).toBeGreaterThan(0);
  });

  // Seen in review: the renewal met the commit's own work before its answer had come.
  it("does not take its own commit for a lost claim", async () => {
    const under = renewing();
    const claim = await under.claim();
    const signal = claim.signal();
    const way = gate();
    under.next("commit", async (sent) => {
      const answer = await under.store.commit?.(sent);
      await way.opened;
      return answer as never;
    });
    const committing = claim.commit([count("o-1")], "committed");
    await pass(under, 3_000);
    expect(renewals(under)).toBe(1);
    way.open();
    expect(await committing).toMatchObject({ committed: true });
    expect(signal.aborted).toBe(false);
    expect(under.turns()).toStrictEqual(["claimed", "completed"]);
    expect(under.alarms.size).toBe(0);
  });

  it("of a record that waits for an operator gets no expiry", async () => {
    const under = renewing({ policies: { whenCompleted: "replay", whenAbandoned: "reject" } });
    await under.claim();
    await pass(under, 3_000);
    expect(await under.found()).toMatchObject({ expiresAt: undefined });
  });
});
