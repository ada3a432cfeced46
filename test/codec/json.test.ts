import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { json } from "../../src/codec/json.ts";
import { IdempotencyConfigError } from "../../src/core/errors.ts";
import type { Encoded } from "../../src/core/record.ts";

const codec = json();
const context = { id: "op#1" };
const encode = (value: unknown) => codec.encode(value, context) as Encoded;
const decode = (encoded: Encoded) => codec.decode(encoded, context);

describe("json()", () => {
  it("brings back every JSON value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(decode(encode(plain))).toEqual(plain);
      }),
    );
  });

  it("stores undefined by its encoding alone", () => {
    expect(encode(undefined)).toEqual({ encoding: "undefined" });
    expect(decode({ encoding: "undefined" })).toBe(undefined);
  });

  it("keeps a property named __proto__ and pollutes nothing", () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true}}');
    const back = decode(encode(value)) as object;
    expect(Object.hasOwn(back, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>)["polluted"]).toBe(undefined);
  });

  it("compresses above 700 bytes, and only where that is smaller", () => {
    expect(encode("x".repeat(698)).encoding).toBe("json");
    expect(encode("x".repeat(700)).encoding).toBe("json+deflate");
    expect(encode(randomBytes(30_000).toString("latin1")).encoding).toBe("json+deflate");
    expect(
      (json({ compressAbove: Number.POSITIVE_INFINITY }).encode("x".repeat(5_000), context) as Encoded).encoding,
    ).toBe("json");
  });

  it("brings strings with every kind of character back from compression", () => {
    const value = "ä\u0000\u{1f600}\ud800".repeat(500);
    expect(encode(value).encoding).toBe("json+deflate");
    expect(decode(encode(value))).toBe(value);
  });

  it.each<[string, Encoded]>([
    ["an unknown encoding", { encoding: "cbor", data: "x" }],
    ["no data", { encoding: "json" }],
    ["bytes where text belongs", { encoding: "json", data: new Uint8Array() }],
    ["text where bytes belong", { encoding: "json+deflate", data: "x" }],
    ["text that is not JSON", { encoding: "json", data: "{" }],
    ["bytes that are not compressed", { encoding: "json+deflate", data: new Uint8Array([1, 2, 3]) }],
    [
      "more than it would ever have stored",
      { encoding: "json+deflate", data: deflateRawSync(" ".repeat(20 * 1024 * 1024)) },
    ],
  ])("refuses to decode %s", (_, encoded) => {
    expect(() => decode(encoded)).toThrow();
  });

  it("takes its snapshot at once", () => {
    const value = { a: 1 };
    const encoded = encode(value);
    value.a = 2;
    expect(decode(encoded)).toEqual({ a: 1 });
  });

  it("refuses options that do not exist", () => {
    expect(() => json({ compress: 1 } as never)).toThrow("json() has no option 'compress'; allowed is compressAbove");
  });

  it.each([-1, Number.NaN, "700"])("refuses compressAbove: %s", (compressAbove) => {
    expect(() => json({ compressAbove: compressAbove as number })).toThrow(IdempotencyConfigError);
  });
});
