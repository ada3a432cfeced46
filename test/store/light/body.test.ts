import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { fromBody, toBody } from "../../../src/store/light/body.ts";

const bytes = Uint8Array.of(0, 1, 127, 128, 255);

describe("the body of a request", () => {
  it.each([
    ["astral characters", "😀𝒳"],
    ["control characters", "\u0000\u0007\u001f\u007f\u0085"],
    ["line separators", "\u2028\u2029"],
    ["a byte order mark and a noncharacter", "\ufeff\uffff"],
    ["text that looks like an escape", String.raw`\ud800 \\ud800 \\\udfff "\ud8"`],
    ["nothing", ""],
  ])("carries %s", (_, text) => {
    const input = { Item: { id: { S: text }, [text]: { M: { [text]: { S: text } } } } };
    const sent = Buffer.from(toBody(input)).toString();
    expect(fromBody(sent)).toStrictEqual(input);
  });

  it.each([
    ["at the end", "a\ud800"],
    ["at the beginning", "\udfffb"],
    ["in the wrong order", "\ude00\ud83d"],
    ["after a backslash", "\\\ud800"],
    ["after two backslashes", "\\\\\udbff"],
  ])("is refused with half of a character %s, without showing it", (_, text) => {
    for (const input of [{ a: { S: `secret${text}` } }, { [`secret${text}`]: { S: "a" } }]) {
      expect(() => toBody(input)).toThrow(expect.objectContaining({ name: "SerializationException" }));
      expect(() => toBody(input)).not.toThrow(/secret/);
    }
  });

  test.prop([fc.string({ unit: "binary" })])("carries what is well-formed, and nothing else", (text) => {
    const isWellFormed = Buffer.from(text).toString() === text;
    if (isWellFormed) expect(fromBody(toBody({ a: { S: text } }))).toStrictEqual({ a: { S: text } });
    else expect(() => toBody({ a: { S: text } })).toThrow("lone surrogate");
  });

  it("has base64 for bytes, at any depth, and the input is left alone", () => {
    const input = { Item: { a: { B: bytes }, b: { L: [{ M: { c: { B: Buffer.from("x") } } }] }, d: { BS: [bytes] } } };
    expect(JSON.parse(toBody(input))).toStrictEqual({
      Item: { a: { B: "AAF/gP8=" }, b: { L: [{ M: { c: { B: "eA==" } } }] }, d: { BS: ["AAF/gP8="] } },
    });
    expect(input.Item.a.B).toBe(bytes);
    expect(fromBody(toBody(input))).toStrictEqual({
      Item: { a: { B: bytes }, b: { L: [{ M: { c: { B: Uint8Array.of(120) } } }] }, d: { BS: [bytes] } },
    });
  });

  it("takes the part of a buffer that a view shows", () => {
    expect(toBody({ B: bytes.subarray(1, 3) })).toBe('{"B":"AX8="}');
    expect(toBody({ B: new DataView(bytes.buffer, 1, 2) })).toBe('{"B":"AX8="}');
    expect(toBody({ B: bytes.slice(1, 3).buffer })).toBe('{"B":"AX8="}');
  });

  it("tells an attribute that is named B from bytes", () => {
    const input = {
      Item: { B: { S: "text" }, BS: { L: [{ S: "B" }] }, x: { M: { B: { B: bytes }, BS: { BS: [bytes] } } } },
    };
    expect(fromBody(toBody(input))).toStrictEqual(input);
    const quoted = { Item: { a: { S: '"B":"AAAA"' } } };
    expect(fromBody(toBody(quoted))).toStrictEqual(quoted);
  });

  it("carries an attribute that is named __proto__, with bytes beside it", () => {
    const item = JSON.parse('{"__proto__":{"S":"x"},"constructor":{"S":"y"}}');
    const sent = fromBody(toBody({ Item: { ...item, b: { B: bytes } } })) as { Item: object };
    expect(Object.keys(sent.Item)).toStrictEqual(["__proto__", "constructor", "b"]);
    expect(Object.getPrototypeOf(sent.Item)).toBe(Object.prototype);
    const hostile = Object.fromEntries([["__proto__", { B: bytes }]]);
    expect(toBody(hostile)).toBe('{"__proto__":{"B":"AAF/gP8="}}');
  });
});
