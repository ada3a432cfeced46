import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/key/canonical.ts";
import { exactText, parseJson, parseNumber, UnreadableText } from "../../src/key/json-text.ts";

const canonicalText = (text: string): string => canonicalJson(parseJson(text));

describe("parseJson", () => {
  it("equals JSON.parse for whatever JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("keeps integers above 2^53 apart (bad input: integers that differ above 2^53)", () => {
    const texts = [
      "9007199254740992",
      "9007199254740993",
      "9007199254740994",
      "12345678901234567890",
      "12345678901234567891",
      "12345678901234567000",
    ];
    expect(texts.map((text) => canonicalText(`{"id":${text}}`))).toEqual(texts.map((text) => `{"id":${text}}`));
  });

  it("gives one text to a number however it is spelled", () => {
    for (const same of [
      ["1e2", "100", "100.0", "1.00e+2"],
      ["9007199254740993", "9007199254740993.0", "9007199254740993e0"],
      ["0", "-0", "0e999", "0.000"],
      ["0.1", "1e-1"],
    ]) {
      expect(new Set(same.map(canonicalText)).size).toBe(1);
    }
  });

  it("gives integers of any size different texts", () => {
    fc.assert(
      fc.property(
        fc.bigInt(),
        fc.bigInt({ min: 1n, max: 5n }),
        (n, d) => canonicalText(`[${n}]`) !== canonicalText(`[${n + d}]`),
      ),
    );
  });

  it("keeps what overflows and underflows apart", () => {
    expect(new Set(["1e400", "1e401", "-1e400", "1e-400", "0"].map(canonicalText)).size).toBe(5);
  });

  it("does not take digits inside strings for numbers", () => {
    const text =
      '{"9007199254740993":"9007199254740993","a\\"b":"n1","s":"s9","big":[9007199254740993],"__proto__":{"x":"1e5 , 12345678901234567"}}';
    const value = parseJson(text) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["9007199254740993", 'a"b', "s", "big", "__proto__"]);
    expect(value["s"]).toBe("s9");
    expect(exactText((value["big"] as unknown[])[0])).toBe("9007199254740993");
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(canonicalJson(value)).toBe(
      '{"9007199254740993":"9007199254740993","__proto__":{"x":"1e5 , 12345678901234567"},"a\\"b":"n1","big":[9007199254740993],"s":"s9"}',
    );
  });

  it("takes the last value of a name that stands twice, and a string for what it is beside a number of the same digits", () => {
    const last = (text: string) => (parseJson(text) as { a: unknown }).a;
    expect(last('{"a":9007199254740993,"a":"9007199254740993"}')).toBe("9007199254740993");
    expect(exactText(last('{"a":"9007199254740993","a":9007199254740993}'))).toBe("9007199254740993");
    expect(last('{"a":9007199254740993,"a":7}')).toBe(7);
  });

  it("changes nothing but the numbers that a double cannot hold", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const [read, big] = parseJson(`[${JSON.stringify(value)}, 9007199254740993]`) as unknown[];
        expect(read).toEqual(JSON.parse(JSON.stringify(value)));
        expect(exactText(big)).toBe("9007199254740993");
      }),
    );
  });

  it("lets nobody calculate with a number that it kept exact", () => {
    const big = parseJson("9007199254740993") as number;
    expect(() => big + 1).toThrow(UnreadableText);
    expect(() => big > 1).toThrow(UnreadableText);
  });

  it("quotes nothing of a text that is not JSON", () => {
    for (const text of ["4111111111111111 is the card", "{", "", "[1,]", "\ufeff{}"]) {
      expect(() => parseJson(text)).toThrow(new UnreadableText("it is not JSON"));
    }
  });

  it("reads 10,000 levels or refuses them, and never overflows", () => {
    const deep = (inner: string) => `${"[".repeat(10_000)}${inner}${"]".repeat(10_000)}`;
    expect(() => canonicalText(deep("1"))).toThrow("512");
    expect(() => canonicalText(deep("9007199254740993"))).toThrow(UnreadableText);
  });

  it("takes linear time over megabytes of digits, escapes and strings", () => {
    const begun = performance.now();
    canonicalText(`[1${"0".repeat(500_000)}1, "${'\\"'.repeat(1_000_000)}", ${"1,".repeat(500_000)}2]`);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe("parseNumber", () => {
  it("reads what JSON spells as a number and nothing else", () => {
    expect(parseNumber("-1.5e3")).toBe(-1500);
    for (const text of ["", " ", " 1", "0x10", "01", "1.", ".5", "+1", "Infinity", "NaN", "1e"])
      expect(parseNumber(text)).toBeUndefined();
  });
});
