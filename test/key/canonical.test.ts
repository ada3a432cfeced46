import { runInNewContext } from "node:vm";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CanonicalError, canonicalJson } from "../../src/key/canonical.ts";

/** JSON values whose names include the ones that live on prototypes. */
const json = fc.jsonValue();
const names = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "a", "A", "", "1", "10", "9", "é", "\u{1F600}", "\uFB33"),
  fc.string(),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      json,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ unit: "grapheme" }),
      fc.constant(null),
      fc.boolean(),
    ),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie("tree")), { maxLength: 30 }).map((pairs) => Object.fromEntries(pairs)),
  ),
}));

const nest = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
};

function refusal(value: unknown): CanonicalError {
  try {
    canonicalJson(value);
  } catch (error) {
    if (error instanceof CanonicalError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("canonicalJson", () => {
  it("equals canonicalize on any JSON value, names of prototypes included", () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
      { numRuns: 1000 },
    );
  });

  it("is JSON of the same value", () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("does not depend on the order of names", () => {
    const reverse = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reverse)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([name, part]) => [name, reverse(part)]),
            )
          : value;
    fc.assert(
      fc.property(tree, (value) => {
        expect(canonicalJson(reverse(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it("gives different values different texts", () => {
    const strict = (a: unknown, b: unknown): boolean => {
      if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
      if (Array.isArray(a) !== Array.isArray(b)) return false;
      const own = Object.keys(a);
      return (
        own.length === Object.keys(b).length &&
        own.every((name) => Object.hasOwn(b, name) && strict((a as never)[name], (b as never)[name]))
      );
    };
    fc.assert(
      fc.property(tree, tree, (a, b) => (canonicalJson(a) === canonicalJson(b)) === strict(a, b)),
      { numRuns: 1000 },
    );
  });

  it("sorts names by UTF-16 code units (RFC 8785, 3.2.3)", () => {
    const value = JSON.parse(
      '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}',
    );
    expect(Object.values(JSON.parse(canonicalJson(value).replaceAll(/"([^"]*)":/g, '"k$1":')))).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  it("writes the sample of RFC 8785, 3.2.2", () => {
    const value = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555555", "333333333.3333333"],
    ["41b3de4355555556", "333333333.3333334"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ])("writes the number %s as %s (RFC 8785, appendix B)", (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, "hex").readDoubleBE())).toBe(text);
  });

  it("gives one text to {a, A} in either order (P12)", () => {
    expect(canonicalJson({ A: 2, a: 1 })).toBe(canonicalJson({ a: 1, A: 2 }));
  });

  it("tells values apart that differ only in __proto__ and pollutes nothing (P13)", () => {
    const texts = ['{"a":1}', '{"a":1,"__proto__":{"x":1}}', '{"a":1,"__proto__":{"x":2}}', '{"a":1,"__proto__":null}'];
    expect(new Set(texts.map((text) => canonicalJson(JSON.parse(text)))).size).toBe(4);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it("leaves an undefined property out and takes -0 for 0", () => {
    expect(canonicalJson({ b: undefined, a: -0, c: undefined })).toBe('{"a":0}');
    expect(canonicalJson({ b: undefined })).toBe("{}");
  });

  it("sorts more names than insertion is used for", () => {
    const value = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${(i * 37) % 100}`, i]));
    expect(canonicalJson(value)).toBe(canonicalize(value));
  });

  it("accepts objects with a null prototype and those of another realm", () => {
    expect(canonicalJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
    expect(canonicalJson(runInNewContext("({ b: [1, { c: null }], a: 'x' })"))).toBe('{"a":"x","b":[1,{"c":null}]}');
  });

  it("ignores what is not enumerable, as JSON does", () => {
    expect(canonicalJson(Object.defineProperty({ a: 1 }, Symbol("hidden"), { value: 1 }))).toBe('{"a":1}');
  });

  class Money {
    readonly amount = 1;
  }
  class List extends Array {}
  const cycle: Record<string, unknown> = {};
  cycle["again"] = { cycle };

  it.each<[string, unknown]>([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["a BigInt", 1n],
    ["a symbol", Symbol("s")],
    ["a function", () => 1],
    ["a Date", new Date(0)],
    ["a Map", new Map()],
    ["a Set", new Set()],
    ["a WeakMap", new WeakMap()],
    ["a RegExp", /a/],
    ["an Error", new Error("e")],
    ["a promise", Promise.resolve(1)],
    ["a class instance", new Money()],
    ["an instance of an array's class", List.from([1])],
    ["a boxed string", Object("s")],
    ["a boxed number", Object(1)],
    ["a boxed boolean", Object(true)],
    ["a boxed BigInt", Object(1n)],
    ["a Uint8Array", new Uint8Array(2)],
    ["a Buffer", Buffer.from("a")],
    ["an ArrayBuffer", new ArrayBuffer(2)],
    ["an object with an own toJSON", { toJSON: () => 1 }],
    ["an object that inherits from data", Object.create({ a: 1 })],
    ["a Date of another realm", runInNewContext("new Date(0)")],
    ["an enumerable symbol name", { [Symbol("s")]: 1 }],
    [
      "arguments",
      (function () {
        return arguments;
      })(),
    ],
    ["Math", Math],
    ["an array with a name", Object.assign([1], { name: 1 })],
    ["a match of a RegExp", /a/.exec("a")],
    ["an array with an enumerable symbol", Object.assign([1], { [Symbol("s")]: 1 })],
    ["a hole", [1, , 2]],
    ["undefined in an array", [undefined]],
    ["a high surrogate alone", "a\ud800"],
    ["a low surrogate alone", "\udc00a"],
    ["surrogates in the wrong order", "\udc00\ud800"],
    ["a lone surrogate in a name", { "\ud800": 1 }],
    [
      "an accessor that throws",
      {
        get secret() {
          throw new Error("4111 1111");
        },
      },
    ],
    [
      "a proxy that throws",
      new Proxy(
        {},
        {
          ownKeys() {
            throw new TypeError("4111 1111");
          },
        },
      ),
    ],
    ["a cycle", cycle],
  ])("refuses %s, alone and deep inside", (_, value) => {
    expect(refusal(value).message).not.toContain("4111");
    expect(refusal({ items: [0, { at: value }] }).path).toContain("$.items[1].at");
  });

  it("refuses undefined as a whole", () => {
    expect(refusal(undefined)).toMatchObject({ path: "$", detail: "undefined is not a JSON value" });
  });

  it("names the path and the kind, and not the value", () => {
    expect(refusal({ items: [1, 2, { at: new Date() }] })).toMatchObject({
      name: "CanonicalError",
      path: "$.items[2].at",
      detail: "an instance of Date is not a JSON value",
    });
    expect(refusal({ "a b": { "": 1n } })).toMatchObject({
      path: "$[…][…]",
      detail: "a BigInt is not a JSON value",
    });
    expect(refusal({ secret: "top\ud800" }).message).not.toContain("top");
  });

  it.each([513, 10_000, 1_000_000])(
    "refuses %i levels at once and without a stack overflow (bad input: nested 10,000 deep)",
    (depth) => {
      for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ a: inner })]) {
        const value = nest(depth, wrap);
        const begun = performance.now();
        expect(refusal(value).detail).toContain("512 levels");
        expect(performance.now() - begun).toBeLessThan(1_000);
        expect(refusal(value).message.length).toBeLessThan(250);
      }
    },
  );

  it("accepts 512 levels", () => {
    expect(canonicalJson(nest(512, (inner) => [inner]))).toBe(`${"[".repeat(512)}1${"]".repeat(512)}`);
  });

  it("refuses a bushy cycle at once", () => {
    const node: unknown[] = [];
    node.push(node, node, node);
    expect(refusal(node).detail).toContain("cycle");
  });
});
