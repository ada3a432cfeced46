import { describe, expect, it } from "vitest";
import { IdempotencyConfigError } from "../../src/core/errors.ts";
import type { Signature, SignedHeaders } from "../../src/webhooks.ts";
import { BODY, hmac, NOW, reasonOf, TEXT_SECRET, verifier } from "./kit.ts";

const pair = (more: Partial<SignedHeaders> = {}): Signature =>
  verifier({ secrets: [TEXT_SECRET], scheme: { timestamp: "X-Timestamp", signature: "X-Signature", ...more } });

const sent = (signature: string, more: Record<string, string> = {}): Record<string, string> => ({
  "x-timestamp": String(NOW),
  "x-signature": signature,
  ...more,
});

it("signs time and body, in hex of any case", () => {
  const right = hmac(TEXT_SECRET, `${NOW}.${BODY}`);
  expect(pair()(BODY, sent(right)).timestamp).toBe(NOW);
  expect(pair()(BODY, sent(right.toUpperCase())).timestamp).toBe(NOW);
  expect(reasonOf(() => pair()(`${BODY} `, sent(right)))).toBe("mismatch");
});

it("reads base64 and what stands before the signature where it is told so", () => {
  const right = hmac(TEXT_SECRET, `${NOW}.${BODY}`, "base64");
  expect(pair({ encoding: "base64" })(BODY, sent(right)).timestamp).toBe(NOW);
  expect(reasonOf(() => pair()(BODY, sent(right)))).toBe("malformed");
  const slack = pair({ signed: "v0:{timestamp}:{body}", prefix: "v0=" });
  expect(slack(BODY, sent(`v0=${hmac(TEXT_SECRET, `v0:${NOW}:${BODY}`)}`)).timestamp).toBe(NOW);
  expect(reasonOf(() => slack(BODY, sent(hmac(TEXT_SECRET, `v0:${NOW}:${BODY}`))))).toBe("malformed");
});

it.each(["md5=", "sha1=", "sha512="])("refuses signatures of another algorithm, such as %s", (prefix) => {
  expect(reasonOf(() => pair()(BODY, sent(`${prefix}${"0".repeat(40)}`)))).toBe("malformed");
});

describe("the id", () => {
  it("is a header that is signed, too", () => {
    const verify = pair({ id: "X-Delivery-Id" });
    const headers = sent(hmac(TEXT_SECRET, `d-1.${NOW}.${BODY}`), { "x-delivery-id": "d-1" });
    expect(verify(BODY, headers)).toStrictEqual({ id: "d-1", timestamp: NOW });
    expect(reasonOf(() => verify(BODY, { ...headers, "x-delivery-id": "d-2" }))).toBe("mismatch");
    const { "x-delivery-id": _, ...without } = headers;
    expect(reasonOf(() => verify(BODY, without))).toBe("missing");
  });

  it("is never a header that nothing signs: its owner could run a captured delivery again", () => {
    expect(() => pair({ id: "x-delivery-id", signed: "{timestamp}.{body}" })).toThrow(
      "the header x-delivery-id is not in it, so that anybody could send a signed body again under another id",
    );
  });

  it.each(["d.1", "d 1", "", "d\n1"])("is refused as %j, signed or not", (id) => {
    const headers = sent(hmac(TEXT_SECRET, `${id}.${NOW}.${BODY}`), { "x-delivery-id": id });
    expect(reasonOf(() => pair({ id: "x-delivery-id" })(BODY, headers))).toBe(id === "" ? "missing" : "malformed");
  });

  it.each([
    ["id", "evt_1"],
    ["amount", "12"],
  ])("comes from the body where the expression %s finds it", (idInBody, id) => {
    expect(pair({ idInBody })(BODY, sent(hmac(TEXT_SECRET, `${NOW}.${BODY}`))).id).toBe(id);
  });

  it("keeps integers above 2^53 apart", () => {
    const idOf = (body: string): string => pair({ idInBody: "id" })(body, sent(hmac(TEXT_SECRET, `${NOW}.${body}`))).id;
    expect([idOf('{"id":9007199254740993}'), idOf('{"id":9007199254740992}')]).toStrictEqual([
      "9007199254740993",
      "9007199254740992",
    ]);
  });

  it("is one hash for bodies that say the same, where the body itself is the id", () => {
    const idOf = (body: string, time = NOW): string =>
      pair({ idInBody: "@" })(body, {
        "x-timestamp": String(time),
        "x-signature": hmac(TEXT_SECRET, `${time}.${body}`),
      }).id;
    expect(idOf('{"a":1,"b":2}')).toBe(idOf('{ "b": 2, "a": 1 }', NOW + 1));
    expect(idOf('{"a":1}')).not.toBe(idOf('{"a":2}'));
    expect(idOf('{"a":1}')).toMatch(/^[\w-]{43}$/);
  });

  it("without either is the hash of time and body: the same delivery again, but not a fresh one", () => {
    const idOf = (time: number, body = BODY): string =>
      pair()(body, { "x-timestamp": String(time), "x-signature": hmac(TEXT_SECRET, `${time}.${body}`) }).id;
    expect(idOf(NOW)).toBe(idOf(NOW));
    expect(new Set([idOf(NOW), idOf(NOW + 1), idOf(NOW, "{}")]).size).toBe(3);
  });
});

it.each<[unknown, string]>([
  [{ timestamp: "x-timestamp" }, "scheme.signature is undefined; allowed is the name of a header"],
  [{ timestamp: "x timestamp", signature: "s" }, "scheme.timestamp is 'x timestamp'; allowed is the name of a header"],
  [{ timestamp: "t", signature: "s", algorithm: "md5" }, "scheme has no part 'algorithm'"],
  [
    { timestamp: "t", signature: "s", encoding: "latin1" },
    "scheme.encoding is 'latin1'; allowed are 'hex' and 'base64'",
  ],
  [{ timestamp: "t", signature: "s", prefix: "a\nb" }, "scheme.prefix is"],
  [{ timestamp: "t", signature: "s", id: "i", idInBody: "id" }, "scheme has both id and idInBody"],
  [{ timestamp: "t", signature: "s", idInBody: "a..b" }, "scheme.idInBody is the JMESPath expression `a..b`"],
  [{ timestamp: "t", signature: "s", idInBody: 7 }, "scheme.idInBody is 7"],
  [{ timestamp: "t", signature: "s", signed: "{body}" }, "it has to name {timestamp} once"],
  [{ timestamp: "t", signature: "s", signed: "{timestamp}.{body}.{timestamp}" }, "it has to end in {body}"],
  [{ timestamp: "t", signature: "s", signed: "{timestamp}{body}" }, "a sign such as '.' has to stand behind each part"],
  [{ timestamp: "t", signature: "s", signed: "{timestamp}0{body}" }, "a sign such as '.'"],
  [{ timestamp: "t", signature: "s", signed: "{id}.{timestamp}.{body}" }, "it has to name {timestamp} once"],
  [{ timestamp: "t", signature: "s", id: "i", signed: "{id}{timestamp}.{body}" }, "a sign such as '.'"],
  [{ timestamp: "t", signature: "s", id: "i", signed: "{id}.{id}.{timestamp}.{body}" }, "{timestamp} and {id} once"],
  [{ timestamp: "t", signature: "s", signed: "{url}.{timestamp}.{body}" }, "and nothing else"],
  ["sha1", "scheme is 'sha1'; allowed is 'standard', 'stripe', or { timestamp, signature,"],
  [null, "scheme is null"],
])("refuses the scheme %j", (scheme, sentence) => {
  const make = (): unknown => verifier({ secrets: [TEXT_SECRET], scheme: scheme as SignedHeaders });
  expect(make).toThrow(IdempotencyConfigError);
  expect(make).toThrow(sentence);
});

it("signs id and time in either order, by any sign between them", () => {
  const verify = pair({ id: "x-id", signed: "v1:{timestamp}|{id}:{body}" });
  const headers = sent(hmac(TEXT_SECRET, `v1:${NOW}|d-1:${BODY}`), { "x-id": "d-1" });
  expect(verify(BODY, headers).id).toBe("d-1");
  const moved = sent(hmac(TEXT_SECRET, `v1:${NOW}|d:1:${BODY}`), { "x-id": "d:1" });
  expect(reasonOf(() => verify(BODY, moved))).toBe("malformed");
});

it("refuses an id that ends in the first sign of what stands behind it", () => {
  // `d:` with `::` behind it reads as `d` with `:::`.
  const verify = pair({ id: "x-id", signed: "{id}::{timestamp}.{body}" });
  const headers = (id: string) => sent(hmac(TEXT_SECRET, `${id}::${NOW}.${BODY}`), { "x-id": id });
  expect(verify(BODY, headers("d")).id).toBe("d");
  expect(reasonOf(() => verify(BODY, headers("d:")))).toBe("malformed");
});
