import { randomBytes } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { bench, codeOf, contextWith, type FrontEnd, thrownBy } from "./kit.ts";

class Money {
  readonly amount = 5;
}

function cycle(): unknown {
  const order: { self?: unknown } = {};
  order.self = order;
  return order;
}

/** So many characters of which nothing can be guessed. */
const noiseOf = (length: number): string => randomBytes(length).toString("base64").slice(0, length);

const throwing = {
  get total(): number {
    throw new Error("computed too early");
  },
};

/** A result, the path at which JSON would lose something, and what is said to stand there. */
const UNSTORABLE: readonly [string, unknown, string, string][] = [
  ["a Date", { items: [{}, { at: new Date(0) }] }, "$.items[1].at", "Date"],
  ["a Date as a whole", new Date(0), "$", "Date"],
  ["a Map", { stock: new Map([["a", 1]]) }, "$.stock", "Map"],
  ["a Set", { tags: new Set(["a"]) }, "$.tags", "Set"],
  ["a BigInt", { cents: 5n }, "$.cents", "bigint"],
  ["an instance of a class", { price: new Money() }, "$.price", "Money"],
  ["an Error", { failure: new Error("no") }, "$.failure", "Error"],
  ["a class", { Money }, "$.Money", "function"],
  ["a function", [() => 1], "$[0]", "function"],
  ["a symbol", { kind: Symbol("kind") }, "$.kind", "symbol"],
  ["a property named by a symbol", { [Symbol("kind")]: 1 }, "$", "symbol"],
  ["a cycle", cycle(), "$.self", "cycle"],
  ["NaN", { total: Number.NaN }, "$.total", "NaN"],
  ["Infinity", { total: Number.POSITIVE_INFINITY }, "$.total", "Infinity"],
  ["-0", { total: -0 }, "$.total", "-0"],
  ["undefined in an array", ["a", undefined], "$[1]", "undefined"],
  ["a getter that throws", throwing, "$.total", "getter"],
  ["a Buffer", { body: Buffer.from("a") }, "$.body", "Buffer"],
];

/** Results that a replay could not bring back equal. */
export function describeResults(make: FrontEnd): void {
  describe("a result that cannot be stored (P18; bad input: returns Date, Map, Set, BigInt, class, function, symbol, cycle, NaN)", () => {
    it.each(UNSTORABLE)(
      "is refused where it has %s, by the same error on every later call and without a second run",
      async (_, result, path, word) => {
        const fn = vi.fn(() => result);
        const one = bench();
        const call = make(fn, one.options);
        const first = await thrownBy(call({ id: "o-1" }, contextWith(30_000)));
        expect(first).toMatchObject({
          name: "IdempotencyResultError",
          code: "result_unstorable",
          statusCode: 500,
          path,
        });
        expect((first as Error).message.toLowerCase()).toContain(word.toLowerCase());
        expect((first as Error).message).toContain(path);
        expect(one.item()).toMatchObject({ status: { S: "FAILED" }, encoding: { S: "unstorable" } });
        for (let again = 0; again < 2; again++) {
          const later = await thrownBy(call({ id: "o-1" }, contextWith(30_000)));
          expect(later).toMatchObject({ name: "IdempotencyResultError", code: "result_unstorable", path });
          expect((later as Error).message).toBe((first as Error).message);
        }
        expect(fn).toHaveBeenCalledTimes(1);
        expect(one.turns()).toStrictEqual(["claimed", "unstorable", "replayed", "replayed"]);
      },
    );

    it("is refused where it does not fit into a record, and no later call runs (bad input: returns 700 KB of noise)", async () => {
      const noise = noiseOf(700_000);
      const fn = vi.fn(() => ({ noise }));
      const one = bench();
      const call = make(fn, one.options);
      const first = (await thrownBy(call({ id: "o-1" }))) as Error;
      expect(first).toMatchObject({ code: "result_unstorable", path: "$" });
      expect(first.message).toMatch(/\d+ bytes where a record holds at most \d+/);
      expect(one.item()).toMatchObject({ status: { S: "FAILED" } });
      for (let again = 0; again < 2; again++) {
        expect(((await thrownBy(call({ id: "o-1" }))) as Error).message).toBe(first.message);
      }
      expect(fn).toHaveBeenCalledTimes(1);
    });

    it("is not what 399 KB are (bad input: returns 399 KB, 700 KB of noise)", async () => {
      const noise = noiseOf(399_000);
      const fn = vi.fn(() => ({ noise }));
      const call = make(fn, bench().options);
      expect(await call({ id: "o-1" })).toStrictEqual({ noise });
      expect(await call({ id: "o-1" })).toStrictEqual({ noise });
      expect(fn).toHaveBeenCalledTimes(1);
    });
  });

  describe("results that can be stored", () => {
    it.each([
      ["a long text", "abc ".repeat(5_000)],
      ["unusual text", { ключ: "\u0000 \u2028 😀 \ud800", "": "empty name", "a.b": 1 }],
      ["the name __proto__", JSON.parse('{"__proto__":{"polluted":true},"constructor":1}')],
      ["numbers at the edges", [Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, Number.MAX_VALUE, -1.5e-9]],
      ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
    ])("bring back %s", async (_, result) => {
      const call = make(() => result, bench().options);
      const first = await call({ id: "o-1" });
      const second = await call({ id: "o-1" });
      expect(first).toBe(result);
      expect(JSON.stringify(second)).toBe(JSON.stringify(result));
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    it("pass through a codec of one's own", async () => {
      const codec = {
        encode: (value: unknown) => ({ encoding: "rot", data: `!${JSON.stringify(value)}` }),
        decode: ({ data }: { readonly data?: unknown }) => JSON.parse(String(data).slice(1)) as unknown,
      };
      const one = bench({ codec });
      const call = make(() => ({ ok: true }), one.options);
      expect(await call({ id: "o-1" })).toStrictEqual({ ok: true });
      expect(one.item()).toMatchObject({ encoding: { S: "rot" }, result: { S: '!{"ok":true}' } });
      expect(await call({ id: "o-1" })).toStrictEqual({ ok: true });
    });

    it("are given to the caller when the codec fails, and the key is held", async () => {
      const codec = {
        encode: () => {
          throw new Error("the key server is down");
        },
        decode: () => undefined,
      };
      const fn = vi.fn(() => "done");
      const one = bench({ codec });
      const call = make(fn, one.options);
      expect(await call({ id: "o-1" })).toBe("done");
      expect(one.turns()).toStrictEqual(["claimed", "save_failed"]);
      expect(await codeOf(call({ id: "o-1" }))).toBe("in_progress");
      expect(fn).toHaveBeenCalledTimes(1);
    });
  });
}
