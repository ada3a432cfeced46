import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { hasNameTwice } from "../../../src/lambda/http/name-twice.ts";
import { endpoint, eventOf, KINDS, problemOf, type Sent } from "./kit.ts";

type Pair = readonly [name: string, one: Sent, other: Sent];

const json = (body: string): Sent => ({ body });
const as = (type: string, body: string, more: object = {}): Sent => ({
  body,
  headers: { "Content-Type": type, ...more },
});

const EQUAL: readonly Pair[] = [
  [
    "names in another order (bad input: same JSON in another key order)",
    json('{"a":1,"b":[{"c":2,"d":3}]}'),
    json('{ "b": [ {"d":3,"c":2} ], "a": 1 }'),
  ],
  ['a and A swapped (P12; bad input: `{"a":1,"A":2}` swapped)', json('{"a":1,"A":2}'), json('{"A":2,"a":1}')],
  ["one number in two spellings", json('{"n":100}'), json('{"n":1e2}')],
  ["one long number in two spellings", json('{"n":9007199254740993}'), json('{"n":9007199254740993.0}')],
  ["a text in two spellings", json('{"n":"é"}'), json('{"n":"\\u00e9"}')],
  ["base64", json('{"a":1}'), { body: '{"a":1}', base64: true }],
  [
    "a +json type with a charset",
    as("application/vnd.shop+json; charset=utf-8", '{"a":1,"b":2}'),
    as("application/vnd.shop+json; charset=utf-8", '{"b":2,"a":1}'),
  ],
  [
    "parameters of the query in another order",
    {
      query: [
        ["a", "1"],
        ["b", "2"],
      ],
    },
    {
      query: [
        ["b", "2"],
        ["a", "1"],
      ],
    },
  ],
  ["no body", { body: undefined }, { body: "" }],
  ["no encoding", json("{}"), as("application/json", "{}", { "content-encoding": "Identity" })],
];

const DIFFERENT: readonly Pair[] = [
  [
    "integers above 2^53 (bad input: integers that differ above 2^53)",
    json('{"n":9007199254740992}'),
    json('{"n":9007199254740993}'),
  ],
  ["long decimals", json('{"n":0.12345678901234567890}'), json('{"n":0.12345678901234567891}')],
  ["__proto__ (P13; bad input: differs only in `__proto__`)", json('{"__proto__":{"admin":true}}'), json("{}")],
  ["a name that stands twice, and its last value", json('{"a":1,"a":2}'), json('{"a":2}')],
  ["two values of a name that stands twice", json('{"a":1,"a":3}'), json('{"a":2,"a":3}')],
  ["1 and '1'", json('{"a":1}'), json('{"a":"1"}')],
  ["null and absent", json('{"a":null}'), json("{}")],
  ["the order of a list", json("[1,2]"), json("[2,1]")],
  ["a text and a JSON text of it", as("text/plain", "{}"), json("{}")],
  ["spaces in a text", as("text/plain", '{"a":1}'), as("text/plain", '{"a": 1}')],
  [
    "JSON that is compressed",
    as("application/json", '{"a":1}', { "content-encoding": "gzip" }),
    as("application/json", '{"a":1 }', { "content-encoding": "gzip" }),
  ],
  ["the path", { path: "/orders/1" }, { path: "/orders/2" }],
  ["the method", { method: "POST" }, { method: "PATCH" }],
  ["a parameter", { query: [["a", "1"]] }, { query: [["a", "2"]] }],
  ["a parameter more", {}, { query: [["a", ""]] }],
  ["If-Match", { headers: { "If-Match": '"v1"' } }, { headers: { "if-match": '"v2"' } }],
  ["If-Match and none", { headers: { "If-Match": '"v1"' } }, {}],
];

describe.each(KINDS)("the fingerprint behind a %s", (kind) => {
  it.each(EQUAL)("is equal for %s", async (_, one, other) => {
    const { send, handler } = endpoint({}, { kind });
    await send(one);
    expect((await send(other)).headers["idempotent-replayed"]).toBe("true");
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each(DIFFERENT)(
    "differs by %s: a 422, and the first record stays (bad input: reused with another body, path, method or query)",
    async (_, one, other) => {
      const { send, handler, store } = endpoint({}, { kind });
      await send(one);
      const before = store.records();
      const answer = await send(other);
      expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([422, "key_reused"]);
      expect(store.records()).toStrictEqual(before);
      expect((await send(one)).headers["idempotent-replayed"]).toBe("true");
      expect(handler).toHaveBeenCalledTimes(1);
      expect(({} as { admin?: unknown }).admin).toBeUndefined();
    },
  );

  it("differs by the order of equal parameters, which may mean something", async () => {
    if (kind === "load balancer") return; // It shows the last one only.
    const { send } = endpoint({}, { kind });
    await send({
      query: [
        ["a", "1"],
        ["a", "2"],
      ],
    });
    expect(
      (
        await send({
          query: [
            ["a", "2"],
            ["a", "1"],
          ],
        })
      ).status,
    ).toBe(422);
  });

  it.each(["[", '{"a":'])("of a body (%s) is a 400 at once (bad input: nested 10,000 deep)", async (open) => {
    const { send, handler } = endpoint({}, { kind });
    const close = open === "[" ? "]" : "}";
    const body = `${open.repeat(10_000)}1${close.repeat(10_000)}`;
    const start = performance.now();
    expect((await send({ body })).status).toBe(400);
    expect((await send({ body: body.replace("1", "9007199254740993") })).status).toBe(400);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(handler).not.toHaveBeenCalled();
  });

  it("of raw bytes differs by a space", async () => {
    const { send } = endpoint({ fingerprint: "raw" }, { kind });
    await send(json('{"a":1}'));
    expect((await send({ body: '{"a":1}', base64: true })).headers["idempotent-replayed"]).toBe("true");
    expect((await send(json('{"a": 1}'))).status).toBe(422);
  });

  it("of a body that is not JSON, though its type says so, is that of its bytes: the handler refuses it", async () => {
    const { send, handler } = endpoint({}, { kind });
    handler.mockResolvedValue({ statusCode: 400, body: "no JSON" });
    await send(json("{no"));
    expect((await send(json("{no"))).headers["idempotent-replayed"]).toBe("true");
    expect((await send(json("{no "))).status).toBe(422);
  });
});

it("tells bytes apart that are no UTF-8, though both would be shown by the same sign", async () => {
  const { sendEvent } = endpoint();
  const of = (byte: number) => ({
    ...eventOf("HTTP API"),
    body: Buffer.from([0x22, byte, 0x22]).toString("base64"),
    isBase64Encoded: true,
  });
  await sendEvent(of(0xff));
  expect((await sendEvent(of(0xfe))).status).toBe(422);
  expect((await sendEvent(of(0xff))).headers["idempotent-replayed"]).toBe("true");
});

describe("the fingerprint after a body parser", () => {
  const parsed = (body: string, more: object = {}) => ({
    ...eventOf("HTTP API", { body }),
    body: JSON.parse(body) as unknown,
    ...more,
  });

  it.each(['{"b":1,"a":{"__proto__":1}}', "[1,2]", "7", "true"])(
    "of %s is never that of a text, which may be a string that was parsed; with event.rawBody it is",
    async (body) => {
      const { send, sendEvent, handler, store } = endpoint();
      await send({ body });
      expect((await sendEvent(parsed(body))).status).toBe(422);
      expect((await sendEvent(parsed(body, { rawBody: body }))).headers["idempotent-replayed"]).toBe("true");
      expect([handler.mock.calls.length, store.records().length]).toStrictEqual([1, 1]);
    },
  );

  it("with an integer that the parser has rounded is a 400, and the observer is told how to mend it", async () => {
    const { sendEvent, handler, events } = endpoint();
    expect((await sendEvent(parsed('{"n":9007199254740993}'))).status).toBe(400);
    expect(events).toMatchObject([{ error: { message: expect.stringContaining("event.rawBody") } }]);
    expect(handler).not.toHaveBeenCalled();
  });

  it("reads event.rawBody, where somebody has kept the text", async () => {
    const { send, sendEvent } = endpoint();
    const [one, other] = ['{"n":9007199254740993}', '{"n":9007199254740992}'];
    await send({ body: one });
    expect((await sendEvent(parsed(one, { rawBody: one }))).headers["idempotent-replayed"]).toBe("true");
    expect((await sendEvent(parsed(other, { rawBody: other }))).status).toBe(422);
  });

  it("cannot be raw: that is a config error, which is thrown", async () => {
    const { sendEvent } = endpoint({ fingerprint: "raw" });
    await expect(sendEvent(parsed("{}"))).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("rawBody"),
    });
  });
});

describe("a name that stands twice in one object", () => {
  it.each([
    ['{"a":1,"a":2}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['[{"b":{"a":1 , "a"\n:2}}]', true],
    ['{"a":{"a":1},"b":[{"a":1},{"a":2}]}', false],
    ['{"a":"a","b":["b","b",":"]}', false],
    ['{"a":"\\"a\\":","c":"{\\"a\\":1,\\"a\\":2}"}', false],
    ["[]", false],
    ['"a"', false],
  ])("is seen in %s: %s", (text, twice) => {
    expect(hasNameTwice(text)).toBe(twice);
  });

  test.prop([fc.json(), fc.integer({ min: 0, max: 3 })])(
    "is never seen in what JSON.stringify writes",
    (text, indent) => {
      const written = JSON.stringify(JSON.parse(text), null, indent);
      expect(hasNameTwice(written)).toBe(false);
    },
  );
});
