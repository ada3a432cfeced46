import { randomBytes } from "node:crypto";
import { currentClaim, type IdempotencyEvent, idempotent, memoryStore } from "lambda-once";
import { memoryTables } from "lambda-once/testing";
import { describe, expect, it } from "vitest";
import type { CommitRequest, IdempotencyStore } from "../../src/core/store.ts";
import type { EpochSeconds } from "../../src/core/time.ts";
import type { WriteAction } from "../../src/core/write.ts";
import { bench, busy, count, failing, gate, hanging, putNew, settle, thrownBy } from "../support/claims.ts";

// Each of these faults was seen by a reviewer.

type Commit = NonNullable<IdempotencyStore["commit"]>;

const whileOpen: WriteAction = {
  ConditionCheck: {
    TableName: "orders",
    Key: { id: "stock" },
    ConditionExpression: "#open = :true",
    ExpressionAttributeNames: { "#open": "open" },
    ExpressionAttributeValues: { ":true": true },
  },
};

describe("an answer that is not to be remembered", () => {
  it("does not free the key after the deadline: its outcome is unknown", async () => {
    const under = bench({ remember: () => "release" });
    const claim = await under.claim();
    under.time.advance(29_600);
    expect(claim.remainingTimeInMillis()).toBe(0);
    expect(await claim.returned(504)).toMatchObject({ status: "executed", result: 504, kept: false });
    expect(await under.found()).toMatchObject({ status: "IN_PROGRESS" });
    expect(under.turns()).toStrictEqual(["claimed", "held"]);
  });

  it.each([{}, { once: true }])("does not free the key while a step is at work (%j)", async (options) => {
    const under = bench({ remember: () => "release" });
    const claim = await under.claim();
    const charging = gate<string>();
    const charged = claim.step("charge", () => charging.opened, options);
    await settle();
    const returned = claim.returned(503);
    await settle();
    expect(await under.begin()).toMatchObject({ status: "refused", error: { code: "in_progress" } });
    charging.open("ch-1");
    await charged;
    await returned;
    const next = await under.claim();
    expect(next.attempt).toBe(2);
    expect(await next.step("charge", () => "ch-2", options)).toBe("ch-1");
  });

  it("does not wait for a step for long: it holds the key then, and answers", async () => {
    const under = bench({ remember: () => "release" });
    const claim = await under.claim();
    void claim.step("charge", hanging).catch(() => undefined);
    await settle();
    const returned = claim.returned(504);
    await settle();
    under.time.advance(1_000);
    expect(await returned).toMatchObject({ result: 504, kept: false });
    expect(await under.found()).toMatchObject({ status: "IN_PROGRESS" });
    expect(under.events.at(-1)).toMatchObject({ type: "held", reason: "the result came before a step's end" });
  });

  it.each(["returned", "threw"] as const)(
    "takes no writes and no commit from what its function left at work (%s)",
    async (how) => {
      const under = bench({ remember: () => "release" });
      const claim = await under.claim();
      const charging = gate<string>();
      const charged = claim.step("charge", () => charging.opened);
      await settle();
      const over = how === "returned" ? claim.returned(503) : claim.threw(new Error("declined"));
      await settle();
      expect(() => claim.write([count("o-1")])).toThrow(/after the claim had ended/);
      expect(await thrownBy(claim.commit([count("o-1")], "A"))).toMatchObject({ code: "config" });
      charging.open("ch-1");
      expect(await charged).toBe("ch-1");
      await over;
      expect(await under.found()).toMatchObject({ status: "RELEASED", steps: { charge: { data: '"ch-1"' } } });
      expect(under.tables.items("orders")).toStrictEqual([]);
    },
  );
});

it("a business error without a claim waits a second at most for a look at the record", async () => {
  const under = bench({ claimAt: "commit" });
  const claim = await under.claim();
  under.next("read", hanging);
  const threw = claim.threw(new Error("declined"));
  await settle();
  under.time.advance(1_000);
  expect(await threw).toBeUndefined();
});

it("a claim that the keeping of an error has taken over is given back where that then fails", async () => {
  const under = bench({ claimAt: "commit", remember: () => "keep" });
  const first = await bench().claim();
  expect(first.attempt).toBe(1);
  const claim = await under.claim();
  const released = { status: { S: "RELEASED" }, owner: { S: "another" }, attempt: { N: "1" }, steps: { M: {} } };
  const base = { id: { S: "op#1" }, v: { N: "1" }, createdAt: { N: "1700000000000" }, fingerprint: { S: "f1" } };
  under.store.items.set("op#1", { ...base, ...released, expiresAt: { N: "1800000000" } });
  under.next("commit", under.store.commit as Commit, failing("access_denied"));
  expect(await claim.threw(new Error("declined"))).toBeUndefined();
  expect(await under.found()).toMatchObject({ status: "RELEASED", attempt: 2 });
});

describe("a save near the end of its caller's time", () => {
  it("is not tried again when that is over", async () => {
    const under = bench();
    const claim = await under.claim();
    under.time.advance(29_880);
    under.next("complete", busy, hanging);
    let answer: unknown;
    void claim.returned("done").then((given) => {
      answer = given;
    });
    await settle();
    under.time.advance(95);
    await settle();
    expect(under.time.runtime.monotonic()).toBeLessThanOrEqual(30_000);
    expect(answer).toMatchObject({ result: "done" });
  });

  it("and a commit are answered in time", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.time.advance(29_880);
    under.next("commit", busy, hanging);
    under.next("read", hanging);
    let error: unknown;
    void thrownBy(claim.returned("done")).then((thrown) => {
      error = thrown;
    });
    await settle();
    for (let passed = 0; passed < 95; passed += 5) {
      under.time.advance(5);
      await settle();
    }
    expect(under.time.runtime.monotonic()).toBeLessThanOrEqual(30_000);
    expect(error).toMatchObject({ code: "store_failed" });
  });
});

describe("a commit that arrives late", () => {
  it("after it was refused is the operation's answer, and not what the function returned then", async () => {
    const under = bench();
    under.tables.put("orders", { id: "stock", open: false });
    const claim = await under.claim();
    let late: CommitRequest | undefined;
    under.next("commit", (request) => {
      late = request;
      return (under.store.commit as Commit)(request);
    });
    expect(await claim.commit([whileOpen, count("o-1")], "A")).toMatchObject({ committed: false });
    under.tables.put("orders", { id: "stock", open: true });
    await under.store.commit?.(late as CommitRequest);
    under.time.advance(5);
    expect(await claim.returned("B")).toMatchObject({ status: "replayed", result: "A" });
  });

  it("in the same millisecond as the function's return is told apart by its result", async () => {
    const under = bench();
    const claim = await under.claim();
    under.tables.put("orders", { id: "stock", open: false });
    let late: CommitRequest | undefined;
    under.next("commit", (request) => {
      late = request;
      return (under.store.commit as Commit)(request);
    });
    await claim.commit([whileOpen, count("o-1")], "A");
    under.tables.put("orders", { id: "stock", open: true });
    await under.store.commit?.(late as CommitRequest);
    expect(await claim.returned("B")).toMatchObject({ status: "replayed", result: "A" });
  });

  it("and was carried out is not told as lost once its record has expired", async () => {
    const under = bench({ retention: 1_000 });
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.next("commit", async (request) => {
      await under.store.commit?.(request);
      return hanging();
    });
    const ending = thrownBy(claim.returned("done"));
    await settle();
    under.time.advance(3_000);
    const next = await under.claim();
    for (let passed = 0; passed < 30; passed++) {
      under.time.advance(1_000);
      await settle();
    }
    expect(await ending).toMatchObject({ code: "store_failed", outcome: "unknown" });
    expect(next.attempt).toBe(1);
  });
});

it.each(["unknown", "lost"])(
  "a commit that was under way when the claim was held, and is %s, is told as that",
  async (what) => {
    const under = bench();
    const claim = await under.claim();
    const sending = gate();
    under.next("commit", async (request) => {
      await sending.opened;
      if (what === "unknown") return failing("access_denied", "unknown")();
      under.time.skew(60_000);
      await under.claim();
      return (under.store.commit as Commit)(request);
    });
    under.next("read", ...Array(4).fill(failing("unavailable")));
    const committing = thrownBy(claim.commit([count("o-1")], "A"));
    await settle();
    claim.hold("the response came late");
    const returned = thrownBy(claim.returned("A"));
    sending.open();
    const error = await committing;
    expect(error).toMatchObject(
      what === "unknown" ? { code: "store_failed", outcome: "unknown" } : { code: "claim_lost" },
    );
    expect(await returned).toBe(error);
  },
);

it("a step that ends while a commit is under way is recorded where that is refused", async () => {
  const under = bench();
  const claim = await under.claim();
  under.tables.put("orders", { id: "o-1" });
  const [charging, sending] = [gate<string>(), gate()];
  const charged = claim.step("charge", () => charging.opened);
  await settle();
  under.next("commit", async (request) => {
    await sending.opened;
    return (under.store.commit as Commit)(request);
  });
  const committing = claim.commit([putNew({ id: "o-1" })], "A");
  await settle();
  charging.open("ch-1");
  await settle();
  sending.open();
  expect(await committing).toMatchObject({ committed: false });
  expect(await charged).toBe("ch-1");
  expect(await under.found()).toMatchObject({ steps: { charge: { data: '"ch-1"' } } });
});

it("a commit that succeeds a released record late locks it no longer than a claim at the start would have", async () => {
  const under = bench({ claimAt: "commit" });
  const [before, claim] = [await bench().claim(), await under.claim()];
  expect(before.attempt).toBe(1);
  const released = { status: { S: "RELEASED" }, owner: { S: "another" }, attempt: { N: "1" }, steps: { M: {} } };
  const base = { id: { S: "op#1" }, v: { N: "1" }, createdAt: { N: "1700000000000" }, fingerprint: { S: "f1" } };
  under.store.items.set("op#1", { ...base, ...released, expiresAt: { N: "1800000000" } });
  claim.write([count("o-1")]);
  under.time.advance(20_000);
  under.next("commit", under.store.commit as Commit, hanging);
  void claim.returned("done").catch(() => undefined);
  await settle();
  expect(await under.found()).toMatchObject({ status: "IN_PROGRESS", attempt: 2, lockedUntil: 1_700_000_035_000 });
});

it("waiting for a record that must not be read ends with that failure", async () => {
  const under = bench({ patience: 2_000 });
  await under.claim();
  under.next("read", failing("access_denied"));
  expect(await under.begin()).toMatchObject({
    ...{ status: "refused", error: { code: "store_failed", reason: "access_denied" } },
  });
});

describe("a token's item", () => {
  const item = { id: { S: "op#1" }, status: { S: "ISSUED" }, owner: { S: "x" }, createdAt: { N: "1700000000000" } };
  it.each([
    ["of a newer version", { v: { N: "99" }, attempt: { N: "0" } }],
    ["that lacks its attempt", { v: { N: "1" } }],
  ])("%s is refused and left alone", async (_, more) => {
    const under = bench();
    const stored = { ...item, expiresAt: { N: "1800000000" }, ...more };
    under.store.items.set("op#1", stored as never);
    expect(await under.begin({ issuedUntil: 1_800_000_000 as EpochSeconds })).toMatchObject({
      ...{ status: "refused", error: { code: "record_corrupt" } },
    });
    expect(under.store.items.get("op#1")).toBe(stored);
  });
});

it("a result that is too large for its commit is told the observer as not carried out, too", async () => {
  const events: IdempotencyEvent[] = [];
  const store = memoryStore({ tables: memoryTables({ orders: { key: ["id"] } }) });
  const place = idempotent(
    async (_: { id: string }) => {
      currentClaim().write({ Put: { TableName: "orders", Item: { id: "o-1" } } });
      return randomBytes(600_000).toString("base64");
    },
    { store, operation: "place", key: "id", observe: (event) => void events.push(event) },
  );
  await expect(place({ id: "a" })).rejects.toMatchObject({ code: "result_unstorable", carriedOut: false });
  expect(events.find(({ type }) => type === "save_failed")).toMatchObject({ error: { carriedOut: false } });
});
