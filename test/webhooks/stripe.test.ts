import { describe, expect, it } from "vitest";
import { IdempotencyKeyMissingError } from "../../src/core/refusals.ts";
import { BODY, hmac, NOW, reasonOf, stripe, TEXT_SECRET, verifier } from "./kit.ts";

const verify = verifier({ scheme: "stripe", secrets: [TEXT_SECRET, "another secret, 16 or more"] });
const right = hmac(TEXT_SECRET, `${NOW}.${BODY}`);

it("takes the event's id from the body that is signed, and the time from the header", () => {
  expect(verify(BODY, stripe())).toStrictEqual({ id: "evt_1", timestamp: NOW });
});

it("uses the secret as the text that it is, with its whsec_", () => {
  const secret = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH";
  expect(verifier({ scheme: "stripe", secrets: [secret] })(BODY, stripe(BODY, NOW, secret)).id).toBe("evt_1");
});

it("takes one of several v1, by any of the secrets", () => {
  const other = hmac("another secret, 16 or more", `${NOW}.${BODY}`);
  for (const one of [right, other]) {
    const header = `t=${NOW},v1=${"0".repeat(64)},v1=${one},v0=${"1".repeat(64)}`;
    expect(verify(BODY, { "Stripe-Signature": header }).id).toBe("evt_1");
  }
});

it.each([
  ["without a time", `v1=${right}`, "malformed"],
  ["with two times", `t=${NOW},v1=${right},t=${NOW}`, "malformed"],
  ["with an empty time", `t=,v1=${right}`, "malformed"],
  ["without a signature", `t=${NOW}`, "malformed"],
  ["with the old v0 only", `t=${NOW},v0=${right}`, "malformed"],
  ["with bad hex", `t=${NOW},v1=${"x".repeat(64)}`, "malformed"],
  ["with half the hex", `t=${NOW},v1=${right.slice(0, 32)}`, "malformed"],
  ["with hex and something behind it", `t=${NOW},v1=${right}zz`, "malformed"],
  ["with base64", `t=${NOW},v1=${Buffer.from(right, "hex").toString("base64")}`, "malformed"],
  ["with another body's signature", `t=${NOW},v1=${hmac(TEXT_SECRET, `${NOW}.{}`)}`, "mismatch"],
  ["with another time", `t=${NOW - 1},v1=${right}`, "mismatch"],
  ["that is empty", "", "missing"],
  ["of commas", ",,,", "malformed"],
  ["of names without values", "t,v1", "malformed"],
])("refuses a header %s", (_, header, reason) => {
  expect(reasonOf(() => verify(BODY, { "stripe-signature": header }))).toBe(reason);
});

describe("the id", () => {
  it.each([
    ['{"type":"ping"}', "is missing"],
    ['{"id":null}', "is null"],
    ['{"id":""}', "is empty"],
    ["[]", "has no place"],
    ["not JSON", "cannot be read"],
    ["", "cannot be read"],
  ])("of the signed body %s %s: a 400 that nothing lets pass, not a 401", (body) => {
    expect(() => verify(body, stripe(body))).toThrow(IdempotencyKeyMissingError);
    expect(() => verify(body, stripe(body))).toThrow(expect.objectContaining({ reason: "unreadable" }));
  });

  it("is not looked for in a body that nobody has signed", () => {
    expect(reasonOf(() => verify("not JSON", stripe()))).toBe("mismatch");
  });
});
