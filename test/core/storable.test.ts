import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdempotencyResultError } from "../../src/core/errors.ts";
import { assertStorable } from "../../src/core/storable.ts";

class Money {
  readonly amount = 1;
}
const cycle: Record<string, unknown> = { a: {} };
(cycle["a"] as Record<string, unknown>)["back"] = cycle;
const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
};

describe("assertStorable", () => {
  it.each<[name: string, value: unknown, path: string, detail: string]>([
    ["undefined as a whole", undefined, "$", "undefined"],
    ["undefined in an array", { a: [1, undefined] }, "$.a[1]", "undefined"],
    ["a hole in an array", [1, , 2], "$[1]", "undefined"],
    ["a Date", { at: new Date(0) }, "$.at", "an instance of Date"],
    ["a Map", { m: new Map() }, "$.m", "an instance of Map"],
    ["a Set", [new Set()], "$[0]", "an instance of Set"],
    ["an Error", new Error("x"), "$", "an instance of Error"],
    ["a class instance", { price: new Money() }, "$.price", "an instance of Money"],
    ["a buffer", Buffer.from("x"), "$", "an instance of Buffer"],
    ["a boxed string", new String("x"), "$", "an instance of String"],
    ["a BigInt", { n: 1n }, "$.n", "a BigInt"],
    ["a function", { f: () => 1 }, "$.f", "a function"],
    ["an own toJSON", { toJSON: () => 1 }, "$.toJSON", "a function"],
    ["an array with properties of its own", { m: /(?<a>.)/.exec("x") }, "$.m", "an array with properties of its own"],
    [
      "an array of a derived class",
      [new (class List extends Array {})()],
      "$[0]",
      "an instance of a class derived from Array",
    ],
    [
      "a hidden toJSON",
      Object.defineProperty({}, "toJSON", { value: () => 1, enumerable: false }),
      "$",
      "an object with toJSON()",
    ],
    ["a symbol", { s: Symbol("x") }, "$.s", "a symbol"],
    ["a property named by a symbol", { a: { [Symbol("x")]: 1 } }, "$.a", "a property named by a symbol"],
    ["NaN", { n: Number.NaN }, "$.n", "NaN"],
    ["Infinity", [Number.POSITIVE_INFINITY], "$[0]", "Infinity"],
    ["minus zero", { n: -0 }, "$.n", "-0"],
    ["a cycle", cycle, "$.a.back", "a cycle"],
    ["a name that may be data", { "alice@example.com": [{ "x-y": 1n }] }, "$[…][0].x-y", "a BigInt"],
    ["nesting without end", deep(10_000), `$${"[0]".repeat(39)}[0…`, "nesting deeper than 512"],
  ])("refuses %s, naming the path", (_, value, path, detail) => {
    const error = thrownBy(() => assertStorable(value));
    expect(error).toBeInstanceOf(IdempotencyResultError);
    expect(error).toMatchObject({ code: "result_unstorable", path, detail });
  });

  it("refuses a getter that throws, naming it", () => {
    const value = {
      fine: 1,
      get broken(): string {
        throw new Error("secret");
      },
    };
    expect(thrownBy(() => assertStorable(value))).toMatchObject({
      path: "$.broken",
      detail: "a property whose getter throws",
    });
  });

  it("accepts what JSON brings back equal, the same object twice, and an undefined property", () => {
    const shared = { a: 1 };
    for (const value of [null, 0, "", false, [], {}, [shared, shared], { a: undefined }, Object.create(null)]) {
      expect(() => assertStorable(value)).not.toThrow();
    }
  });

  it("accepts every JSON value", () => {
    fc.assert(
      fc.property(fc.json({ depthSize: "medium" }), (text) => {
        const value: unknown = JSON.parse(text);
        if (!text.includes("-0")) expect(() => assertStorable(value)).not.toThrow();
      }),
    );
  });

  it("lets nothing pass that does not come back equal", () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withNullPrototype: true,
          withTypedArray: true,
          withSparseArray: true,
        }),
        (value) => {
          try {
            assertStorable(value);
          } catch (error) {
            expect(error).toBeInstanceOf(IdempotencyResultError);
            return;
          }
          expect(JSON.parse(JSON.stringify(value))).toEqual(value);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

function thrownBy(fn: () => void): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return undefined;
}
