import { describe, expect, it, vi } from "vitest";
import { begin } from "../../src/core/begin.ts";
import { IdempotencyOutcomeUnknownError } from "../../src/core/errors.ts";
import { bench, count, failing, put, putNew, thrownBy } from "../support/claims.ts";
import { engineUnderTest } from "../support/engine.ts";

const business = new Error("card declined");
const lapse = 35_000;

describe("the writes of a claim", () => {
  it("commit with the result, in one request", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([putNew({ id: "o-1" }), count("o-2")]);
    claim.write([count("o-3")]);
    expect(under.tables.items("orders")).toStrictEqual([]);
    expect(await claim.returned({ ok: true })).toStrictEqual({
      status: "executed",
      attempt: 1,
      result: { ok: true },
      kept: true,
    });
    expect(under.asked).toStrictEqual(["claim", "commit"]);
    expect(under.tables.items("orders")).toStrictEqual([{ id: "o-1" }, { id: "o-2", n: 1 }, { id: "o-3", n: 1 }]);
    expect(await under.begin()).toMatchObject({ status: "replayed", result: { ok: true } });
    expect(under.turns()).toStrictEqual(["claimed", "completed", "replayed"]);
  });

  it.each([
    ["throws", undefined, "RELEASED or gone"],
    ["throws an error that is kept", "keep", "FAILED"],
    ["throws an error that holds", "hold", "IN_PROGRESS"],
  ] as const)("are not carried out where the function %s", async (_, verdict, status) => {
    const under = bench(verdict === undefined ? {} : { remember: () => verdict });
    const claim = await under.claim();
    claim.write([count("o-1")]);
    await claim.threw(business);
    expect(under.tables.items("orders")).toStrictEqual([]);
    const found = await under.found();
    if (status === "RELEASED or gone") expect(found).toBeUndefined();
    else expect(found).toMatchObject({ status });
  });

  it.each(["release", "hold"] as const)("are not carried out where the result is not kept (%s)", async (verdict) => {
    const under = bench({ remember: () => verdict });
    const claim = await under.claim();
    claim.write([count("o-1")]);
    expect(await claim.returned(503)).toMatchObject({ status: "executed", result: 503, kept: false });
    expect(under.tables.items("orders")).toStrictEqual([]);
    expect(under.asked).not.toContain("commit");
  });

  it("are not carried out where the outcome is unknown", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    await claim.threw(new IdempotencyOutcomeUnknownError());
    expect(under.tables.items("orders")).toStrictEqual([]);
  });

  it("are those that were given, whatever becomes of their objects", async () => {
    const under = bench();
    const claim = await under.claim();
    const item = { id: "o-1", tags: new Set(["a"]), deep: { list: [1] }, bytes: Uint8Array.of(1), none: undefined };
    claim.write([put(item)]);
    item.tags.add("b");
    item.deep.list.push(2);
    item.bytes.fill(9);
    const committing = claim.returned("done");
    item.id = "o-2";
    await committing;
    expect(under.tables.items("orders")).toStrictEqual([
      { id: "o-1", tags: new Set(["a"]), deep: { list: [1] }, bytes: Uint8Array.of(1) },
    ]);
  });

  it.each([
    [
      "two actions on one item",
      () => [count("o-1"), put({ id: "o-1" })],
      /write 2 is on the same item of table 'orders' as write 1/,
    ],
    [
      "two on one item whose key is a number and a BigInt",
      () => [1, 1n].map((id) => ({ Delete: { TableName: "orders", Key: { id } } })),
      /same item/,
    ],
    ["100 items", () => Array.from({ length: 99 }, (_, n) => count(`${n}`)), /a commit of 100 items; allowed are 99/],
    ["what is no action", () => [null as never], /write 1 is null/],
    [
      "two actions in one",
      () => [{ ...put({ id: "a" }), ...count("b") }],
      /write 1 has Put, Update; allowed is an object with one of/,
    ],
    [
      "an empty object",
      () => [{}],
      /write 1 has nothing in it; allowed is an object with one of Put, Update, Delete, ConditionCheck/,
    ],
    ["no table", () => [{ Put: { TableName: "", Item: { id: "a" } } }], /allowed is a table's name/],
    ["no item", () => [{ Put: { TableName: "orders", Item: {} } }], /is a Put without Item/],
    [
      "no update",
      () => [{ Update: { TableName: "orders", Key: { id: "a" } } } as never],
      /is a Update without|is an Update without/,
    ],
    ["a function in it", () => [put({ id: "a", fn: () => 1 })], /holds a function/],
  ])("are refused at once for %s; those of before stay", async (_, writes, message) => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("kept")]);
    expect(() => claim.write(writes())).toThrow(
      expect.objectContaining({ code: "config", message: expect.stringMatching(message) }),
    );
    await claim.returned("done");
    expect(under.tables.items("orders")).toStrictEqual([{ id: "kept", n: 1 }]);
  });

  it("count those of before: the 100th is refused when it is given", async () => {
    const claim = await bench().claim();
    claim.write(Array.from({ length: 99 }, (_, n) => count(`${n}`)));
    expect(() => claim.write([count("99")])).toThrow(expect.objectContaining({ code: "config" }));
  });

  it("are refused by a store without tables, at once", async () => {
    const { engine } = engineUnderTest();
    const begun = await begin(engine, { id: "op#1", fingerprint: undefined, remaining: 10_000, lookFirst: false });
    if (begun.status !== "claimed") return expect.unreachable();
    expect(() => begun.claim.write([count("a")])).toThrow(/no tables to write to .* memoryTables/);
    expect(await thrownBy(begun.claim.commit([count("a")], 1))).toMatchObject({ code: "config" });
    expect(await begun.claim.returned("plain")).toMatchObject({ kept: true });
  });

  it("after the function has ended, or the claim is lost, are refused", async () => {
    const under = bench();
    const first = await under.claim();
    await first.returned("done");
    expect(() => first.write([count("a")])).toThrow(expect.objectContaining({ code: "config" }));
    const lost = await under.claim({ id: "op#2" });
    under.time.advance(lapse);
    await under.claim({ id: "op#2" });
    await lost.step("a", () => 1).catch(() => {});
    expect(() => lost.write([count("a")])).toThrow(expect.objectContaining({ code: "claim_lost" }));
    expect(under.tables.items("orders")).toStrictEqual([]);
  });

  it("a condition that fails is an error with the write's own index, the item and the reason; the claim is released", async () => {
    const under = bench();
    under.tables.put("orders", { id: "o-2", state: "paid" });
    const claim = await under.claim();
    claim.write([count("o-1")]);
    claim.write([putNew({ id: "o-2" })]);
    expect(await thrownBy(claim.returned("done"))).toMatchObject({
      ...{ code: "write_conflict", statusCode: 409, index: 1, reason: "ConditionalCheckFailed" },
      item: { id: "o-2", state: "paid" },
      outcome: { outcome: "refused", item: { id: "o-2", state: "paid" } },
    });
    expect(under.tables.items("orders")).toHaveLength(1);
    expect(await under.found()).toBeUndefined();
    expect((await under.claim()).attempt).toBe(1);
  });

  it("a condition that fails keeps the steps for the next attempt", async () => {
    const under = bench();
    under.tables.put("orders", { id: "o-1" });
    const first = await under.claim();
    await first.step("charge", () => "ch_1");
    first.write([putNew({ id: "o-1" })]);
    await thrownBy(first.returned("done"));
    const fn = vi.fn();
    expect(await (await under.claim()).step("charge", fn)).toBe("ch_1");
    expect(fn).not.toHaveBeenCalled();
  });

  it("a result that cannot be stored commits nothing and gives the key back: it says that nothing was carried out", async () => {
    const under = bench();
    for (const result of [new Date(), "x".repeat(6_000_000)]) {
      const claim = await under.claim();
      claim.write([count("o-1")]);
      expect(await thrownBy(claim.returned(result))).toMatchObject({ code: "result_unstorable", carriedOut: false });
      expect(await under.found()).toBeUndefined();
    }
    expect(under.tables.items("orders")).toStrictEqual([]);
  });

  it("a write that cannot be sent commits nothing and gives the key back", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([put({ id: "o-1", at: new Date() })]);
    expect(await thrownBy(claim.returned("done"))).toMatchObject({ code: "config" });
    expect(await under.found()).toBeUndefined();
  });

  it("leave seven seconds for the commit where there is time for it, a third of it where there is not", async () => {
    const under = bench();
    const claim = await under.claim();
    expect(claim.remainingTimeInMillis()).toBe(29_500);
    const signal = claim.signal();
    claim.write([count("a")]);
    expect(claim.remainingTimeInMillis()).toBe(23_000);
    under.time.advance(22_999);
    expect(signal.aborted).toBe(false);
    under.time.advance(1);
    expect(signal.aborted).toBe(true);
    expect(claim.overdue()).toBe(false);
    const short = await under.claim({ id: "op#2", remaining: 3_000 });
    short.write([count("a")]);
    expect(short.remainingTimeInMillis()).toBe(2_000);
  });
});

describe("a late owner with writes", () => {
  it("gets the winner's result, and writes nothing", async () => {
    const under = bench();
    const first = await under.claim();
    first.write([count("first")]);
    under.time.advance(lapse);
    const second = await under.claim();
    second.write([count("second")]);
    await second.returned("the winner's");
    expect(await first.returned("mine")).toStrictEqual({ status: "replayed", attempt: 2, result: "the winner's" });
    expect(under.tables.items("orders")).toStrictEqual([{ id: "second", n: 1 }]);
  });

  it("is told so where the winner still runs", async () => {
    const under = bench();
    const first = await under.claim();
    first.write([count("first")]);
    under.time.advance(lapse);
    await under.claim();
    expect(await thrownBy(first.returned("mine"))).toMatchObject({ code: "claim_lost" });
    expect(under.tables.items("orders")).toStrictEqual([]);
    expect(await under.found()).toMatchObject({ status: "IN_PROGRESS", owner: "owner-2" });
  });

  it("gets the winner's error as the winner left it", async () => {
    const under = bench();
    const first = await under.claim();
    first.write([count("first")]);
    under.time.advance(lapse);
    const second = await under.claim();
    await thrownBy(second.returned(new Date())); // Without writes: carried out, and unstorable for every later call.
    expect(await thrownBy(first.returned("mine"))).toMatchObject({ code: "result_unstorable", carriedOut: true });
    expect(under.turns().slice(-1)).toStrictEqual(["claim_lost"]);
  });

  it("writes nothing where somebody removed the record", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.store.items.clear();
    expect(await thrownBy(claim.returned("mine"))).toMatchObject({ code: "claim_lost" });
    expect(under.tables.items("orders")).toStrictEqual([]);
  });

  it("that gave up cannot release what its own commit has written meanwhile", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.next("read", failing("access_denied"));
    under.next("commit", async (request) => {
      await under.store.commit?.(request);
      return failing("access_denied")();
    });
    await thrownBy(claim.returned("done"));
    expect(await under.begin()).toMatchObject({ status: "replayed", result: "done" });
  });
});
