import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { IdempotencyConfigError } from "../../src/core/errors.ts";
import { IdempotencySignatureError } from "../../src/core/refusals.ts";
import { eventOf, KINDS } from "../lambda/http/kit.ts";
import { BODY, NOW, OTHER, reasonOf, SECRET, standard, verifier } from "./kit.ts";

const verify = verifier();
const plain = (headers: unknown, more: object = {}): object => ({ headers, body: BODY, ...more });

describe.each(KINDS)("an event of a %s", (kind) => {
  it.each([false, true])("gives its delivery's id, base64: %s", (base64) => {
    expect(verify(eventOf(kind, { headers: standard(), body: BODY, base64 }))).toBe("msg_1");
  });

  it("is verified over the bytes that were sent, which base64 only carries", () => {
    const body = '{"name":"\u00e4\u{1f600}"}';
    expect(verify(eventOf(kind, { headers: standard(body), body, base64: true }))).toBe("msg_1");
  });

  it("is read whatever the case of its headers", () => {
    const shouted = Object.fromEntries(Object.entries(standard()).map(([name, value]) => [name.toUpperCase(), value]));
    expect(verify(eventOf(kind, { headers: shouted, body: BODY }))).toBe("msg_1");
  });

  it.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("is refused with two different %s", (name) => {
    const right = standard();
    const other = standard(BODY, { id: "msg_2", seconds: NOW + 1, secret: OTHER });
    const orders = [
      [right[name], other[name]],
      // A load balancer that knows no lists shows the last value alone, to us and to the handler.
      ...(kind === "load balancer" ? [] : [[other[name], right[name]]]),
    ];
    for (const values of orders) {
      const headers = { ...right, [name]: values as string[] };
      // Joined by a comma (payload 2.0, function URLs), two ids are one that nobody has signed.
      const reason = reasonOf(() => verify(eventOf(kind, { headers, body: BODY })));
      expect(["malformed", "mismatch"]).toContain(reason);
    }
  });

  it("without a body is the delivery of nothing", () => {
    expect(verify(eventOf(kind, { headers: standard(""), body: undefined }))).toBe("msg_1");
    expect(reasonOf(() => verify(eventOf(kind, { headers: standard(), body: undefined })))).toBe("mismatch");
  });
});

describe("headers", () => {
  it("may be Headers, pairs, a map, lists, or an object without a prototype", () => {
    const given = standard();
    const lists = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, [value, value]]));
    const bare = Object.assign(Object.create(null) as Record<string, string>, given);
    for (const headers of [new Headers(given), Object.entries(given), new Map(Object.entries(given)), lists, bare]) {
      expect(verify(BODY, headers as Record<string, string>).id).toBe("msg_1");
    }
  });

  it("are refused where one name in two spellings has two values", () => {
    const headers = { ...standard(), "Webhook-Id": "msg_2" };
    expect(reasonOf(() => verify(BODY, headers))).toBe("malformed");
    expect(verify(BODY, { ...standard(), "Webhook-Id": "msg_1" }).id).toBe("msg_1");
  });

  it("are refused where the list and the single value differ", () => {
    const event = plain(standard(), { multiValueHeaders: { "webhook-id": ["msg_2"] } });
    expect(reasonOf(() => verify(event))).toBe("malformed");
  });

  it.each<[unknown]>([
    [undefined],
    [null],
    [{}],
    ["webhook-id"],
    [[]],
    [{ "webhook-id": undefined }],
    [{ "webhook-id": 7 }],
  ])("%j are missing", (headers) => {
    expect(reasonOf(() => verify(plain(headers)))).toBe("missing");
    expect(reasonOf(() => verify(BODY, headers as Record<string, string>))).toBe("missing");
  });

  it.each([[[7]], [[null]], [["webhook-id"]], [new Set(["webhook-id"])]])(
    "that are no headers at all are missing: %j",
    (headers) => {
      expect(reasonOf(() => verify(plain(headers)))).toBe("missing");
    },
  );

  it("are the object's own", () => {
    expect(reasonOf(() => verify(BODY, Object.create(standard()) as Record<string, string>))).toBe("missing");
  });
});

describe("bodies", () => {
  const coded = Buffer.from(BODY).toString("base64");

  it.each([
    ["a text that says that it is base64", { body: BODY, isBase64Encoded: true }, "malformed"],
    ["base64 with a line break", { body: `${coded}\n`, isBase64Encoded: true }, "malformed"],
    ["base64 that does not say so", { body: coded }, "mismatch"],
    ["base64 twice", { body: Buffer.from(coded).toString("base64"), isBase64Encoded: true }, "mismatch"],
    ["null", { body: null }, "mismatch"],
    ["nothing", { body: undefined }, "mismatch"],
  ])("%s: refused", (_, more, reason) => {
    expect(reasonOf(() => verify(plain(standard(), more)))).toBe(reason);
  });

  it("that were parsed before are a mistake of the handler's, with its mend", () => {
    const event = plain(standard(), { body: JSON.parse(BODY) });
    expect(() => verify(event)).toThrow(IdempotencyConfigError);
    expect(() => verify(event)).toThrow("it was parsed before its signature was verified");
    expect(verify({ ...event, rawBody: BODY })).toBe("msg_1");
    expect(verify({ ...event, rawBody: Buffer.from(BODY) })).toBe("msg_1");
    expect(verify({ ...event, rawBody: coded, isBase64Encoded: true })).toBe("msg_1");
  });

  it("that are bytes are taken as they are", () => {
    expect(verify(plain(standard(), { body: Buffer.from(BODY), isBase64Encoded: true }))).toBe("msg_1");
  });
});

it.each([undefined, null, 7, {}, []])("an event that is %j has no headers", (event) => {
  expect(reasonOf(() => verify(event as object))).toBe("missing");
});

it("says to strangers the same of every fault, and to its operator the fault, without any value", () => {
  const faults = [
    {},
    standard(BODY, { secret: OTHER }),
    standard(BODY, { seconds: NOW - 900 }),
    standard(BODY, { seconds: NOW + 900 }),
    { ...standard(), "webhook-signature": "v1,private" },
  ].map((headers): IdempotencySignatureError => {
    try {
      verify(BODY, headers);
    } catch (error) {
      if (error instanceof IdempotencySignatureError) return error;
    }
    throw new Error("the delivery was not refused");
  });
  expect(new Set(faults.map(({ message }) => message))).toStrictEqual(
    new Set(["the request does not carry a valid signature"]),
  );
  expect(faults.map(({ reason }) => reason)).toStrictEqual(["missing", "mismatch", "too_old", "too_new", "malformed"]);
  for (const { statusCode, code, expose, detail } of faults) {
    expect([statusCode, code, expose]).toStrictEqual([401, "signature_invalid", true]);
    for (const value of [SECRET, "msg_1", "private", String(NOW - 900)]) expect(detail).not.toContain(value);
  }
});

const hex = fc.uint8Array({ minLength: 1, maxLength: 200 });

test.prop([hex, fc.nat(), fc.integer({ min: 1, max: 255 })])(
  "a delivery holds for its own bytes, and for none in which one byte is changed",
  (body, place, change) => {
    fc.pre(isUtf8(body));
    const headers = standard(Buffer.from(body));
    expect(verify(body, headers).id).toBe("msg_1");
    const changed = Uint8Array.from(body);
    changed[place % body.length] = (changed[place % body.length] as number) ^ change;
    expect(["mismatch", "malformed"]).toContain(reasonOf(() => verify(changed, headers)));
  },
);

test.prop([fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()))), fc.string({ unit: "binary" })])(
  "whatever is sent without a signature is a 401, and nothing else",
  (headers, body) => {
    expect(["missing", "malformed"]).toContain(reasonOf(() => verify({ headers, body })));
  },
);

test.prop([fc.string(), fc.string(), fc.string()])(
  "whatever is sent in the place of a signature is a 401, and nothing else",
  (id, timestamp, signature) => {
    const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
    expect(["missing", "malformed"]).toContain(reasonOf(() => verify({ headers, body: BODY })));
  },
);

function isUtf8(bytes: Uint8Array): boolean {
  return Buffer.from(Buffer.from(bytes).toString("utf8")).equals(bytes);
}
