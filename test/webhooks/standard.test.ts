import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { signature } from "../../src/webhooks.ts";
import { at, BODY, NOW, OTHER, reasonOf, SECRET, standard, verifier } from "./kit.ts";

describe("the vectors of Standard Webhooks", () => {
  const payload = '{"test": 2432232314}';
  const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  };
  const clock = at(1614265330);

  it.each([SECRET, SECRET.replace("whsec_", "")])("hold with the secret as %s", (secret) => {
    expect(signature({ secrets: [secret], clock })(payload, headers)).toStrictEqual({ id, timestamp: 1614265330 });
  });

  it("hold with the secret as bytes, whatever its owner does to them afterwards", () => {
    const bytes = new Uint8Array(Buffer.from(SECRET.replace("whsec_", ""), "base64"));
    const verify = signature({ secrets: [bytes], clock });
    bytes.fill(0);
    expect(verify(payload, headers).id).toBe(id);
  });

  it("hold among signatures of other versions and other secrets", () => {
    const wrong = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    const many = [`v1,${wrong}`, `v2,${wrong}`, headers["webhook-signature"], `v1,${wrong}`].join(" ");
    expect(signature({ secrets: [SECRET], clock })(payload, { ...headers, "webhook-signature": many }).id).toBe(id);
  });

  it.each([
    ["v1,dawfeoifkpqwoekfpqoekf", "malformed"],
    ["v1,g0hM9", "malformed"],
    ["v1,", "malformed"],
    ["v1", "malformed"],
  ])("refuse the partial signature %s", (partial, reason) => {
    const verify = signature({ secrets: [SECRET], clock });
    expect(reasonOf(() => verify(payload, { ...headers, "webhook-signature": partial }))).toBe(reason);
  });
});

it("takes what the library itself signs for this moment", () => {
  const now = new Date();
  const sent = new Webhook(SECRET).sign("msg_2", now, BODY);
  const headers = {
    "webhook-id": "msg_2",
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": sent,
  };
  expect(signature({ secrets: [SECRET] })(BODY, headers).id).toBe("msg_2");
  expect(new Webhook(SECRET).verify(BODY, headers)).toStrictEqual(JSON.parse(BODY));
});

it("takes a delivery that is signed with the current or with a previous secret, and no other", () => {
  const verify = verifier({ secrets: [OTHER, SECRET] });
  expect(verify(BODY, standard()).id).toBe("msg_1");
  expect(verify(BODY, standard(BODY, { secret: OTHER })).id).toBe("msg_1");
  const third = `whsec_${Buffer.alloc(24, 9).toString("base64")}`;
  expect(reasonOf(() => verify(BODY, standard(BODY, { secret: third })))).toBe("mismatch");
});

describe("bad signatures", () => {
  const right = standard()["webhook-signature"] ?? "";
  const hex = Buffer.from(right.slice(3), "base64").toString("hex");

  it.each([
    ["missing", "", "missing"],
    ["of another secret", standard(BODY, { secret: OTHER })["webhook-signature"] ?? "", "mismatch"],
    ["of another body", standard("{}")["webhook-signature"] ?? "", "mismatch"],
    ["in hex", `v1,${hex}`, "malformed"],
    ["bad base64", `v1,${"*".repeat(44)}`, "malformed"],
    ["base64 for URLs", `v1,${"-_".repeat(21)}A=`, "malformed"],
    ["too short", `v1,${right.slice(3, 40)}`, "malformed"],
    ["too long", `${right}AAAA`, "malformed"],
    ["without its padding", right.replace("=", ""), "malformed"],
    ["of another algorithm: a version that is asymmetric", right.replace("v1,", "v1a,"), "malformed"],
    ["of another algorithm: SHA-1's length", `v1,${Buffer.alloc(20).toString("base64")}`, "malformed"],
    ["without a version", right.slice(3), "malformed"],
    ["with the version in capitals", right.replace("v1", "V1"), "malformed"],
    ["with something behind it", `${right},more`, "malformed"],
    ["with a line break", `${right}\n`, "malformed"],
  ])("refuses one %s", (_, sent, reason) => {
    expect(reasonOf(() => verifier()(BODY, { ...standard(), "webhook-signature": sent }))).toBe(reason);
  });

  it.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("refuses a delivery without %s", (name) => {
    const { [name]: _, ...rest } = standard();
    expect(reasonOf(() => verifier()(BODY, rest))).toBe("missing");
  });
});

it("refuses a valid delivery over bytes that were serialised again", () => {
  const body = '{ "id": "evt_1" }';
  const again = JSON.stringify(JSON.parse(body));
  expect(verifier()(body, standard(body)).id).toBe("msg_1");
  expect(reasonOf(() => verifier()(again, standard(body)))).toBe("mismatch");
});

it("refuses a delivery under another id, and one with another time", () => {
  expect(reasonOf(() => verifier()(BODY, { ...standard(), "webhook-id": "msg_2" }))).toBe("mismatch");
  expect(reasonOf(() => verifier()(BODY, { ...standard(), "webhook-timestamp": String(NOW + 1) }))).toBe("mismatch");
});

describe("ids", () => {
  it.each(["msg.1", "msg 1", "msg_ü", "a".repeat(256), "msg_1\t"])("refuses %j, signed or not", (id) => {
    expect(reasonOf(() => verifier()(BODY, standard(BODY, { id })))).toBe("malformed");
  });

  it("lets nobody move a full stop from the body into the id or the time", () => {
    // Signed as id `a`, time NOW, body `<NOW>.{}`; sent as id `a.<NOW>`, time NOW, body `{}`.
    const signed = standard(`${NOW}.{}`, { id: "a" });
    expect(reasonOf(() => verifier()("{}", { ...signed, "webhook-id": `a.${NOW}` }))).toBe("malformed");
  });
});

describe("bytes", () => {
  const replacement = Buffer.from('{"name":"\ufffd"}');
  const invalid = Buffer.from(replacement.toString("latin1").replace("\u00ef\u00bf\u00bd", "\u00ff"), "latin1");

  it("refuses bytes that are not UTF-8, which the library takes for the character in their place", () => {
    const headers = standard(replacement);
    expect(verifier()(replacement, headers).id).toBe("msg_1");
    const now = String(Math.floor(Date.now() / 1000));
    const real = standard(replacement, { seconds: now });
    expect(() => new Webhook(SECRET).verify(invalid, real, { jsonParse: false })).not.toThrow();
    expect(reasonOf(() => verifier()(invalid, headers))).toBe("malformed");
  });

  it("keeps a byte order mark and an empty body", () => {
    for (const body of ["\ufeff{}", ""]) {
      expect(verifier()(body, standard(body)).id).toBe("msg_1");
      expect(verifier()(Buffer.from(body), standard(body)).id).toBe("msg_1");
    }
    expect(reasonOf(() => verifier()("{}", standard("\ufeff{}")))).toBe("mismatch");
  });

  it("sees only its own part of a buffer that is shared", () => {
    const shared = Buffer.from(`xx${BODY}yy`);
    const part = new Uint8Array(shared.buffer, shared.byteOffset + 2, BODY.length);
    expect(verifier()(part, standard()).id).toBe("msg_1");
  });

  it("refuses a text with half a surrogate pair, which is one text with many others in UTF-8", () => {
    expect(reasonOf(() => verifier()('{"name":"\ud800"}', standard(replacement)))).toBe("malformed");
  });
});
