import { describe, expect, it } from "vitest";
import { IdempotencyConfigError } from "../../src/core/errors.ts";
import { type SignatureOptions, signature } from "../../src/webhooks.ts";
import { OTHER, SECRET, TEXT_SECRET } from "./kit.ts";

const refusal = (options: unknown): string => {
  try {
    signature(options as SignatureOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(IdempotencyConfigError);
    return (error as Error).message;
  }
  throw new Error("the options were taken");
};

describe("secrets", () => {
  it.each<[unknown, string]>([
    [undefined, "secrets is undefined"],
    [SECRET, "secrets is a string"],
    [[], "secrets is an empty list"],
    [[""], "secrets[0] is 0 bytes long"],
    [["whsec_"], "secrets[0] is 0 bytes long"],
    [[SECRET, ""], "secrets[1] is 0 bytes long"],
    [[undefined], "secrets[0] is undefined"],
    [[null], "secrets[0] is null"],
    [[7], "secrets[0] is a number"],
    [[new Uint8Array(23)], "secrets[0] is 23 bytes long"],
    [[Buffer.alloc(23).toString("base64")], "secrets[0] is 23 bytes long"],
    [["whsec_not base64 at all, with its spaces"], "secrets[0] is not base64, after 'whsec_' or without it"],
    [[`whsk_${Buffer.alloc(32).toString("base64")}`], "secrets[0] is not base64"],
    [[`whsec_${Buffer.alloc(32, 255).toString("base64url")}`], "secrets[0] is not base64"],
    [[`${SECRET}\n`], "secrets[0] is a text with white space around it"],
    [[SECRET, SECRET.replace("whsec_", "")], "secrets[1] is the same as an earlier one"],
  ])("of Standard Webhooks refuses %j", (secrets, sentence) => {
    expect(refusal({ secrets })).toContain(sentence);
  });

  it.each(["stripe", { timestamp: "t", signature: "s" }])("of the scheme %j have 16 bytes or more", (scheme) => {
    expect(refusal({ secrets: ["whsec_15 bytes!"], scheme })).toContain("secrets[0] is 15 bytes long");
    expect(refusal({ secrets: [TEXT_SECRET, TEXT_SECRET], scheme })).toContain("the same as an earlier one");
  });

  it("are never in a message", () => {
    const wrong = [
      { secrets: [`${SECRET}*`] },
      { secrets: [TEXT_SECRET, TEXT_SECRET], scheme: "stripe" },
      { secrets: TEXT_SECRET },
      { secrets: { [TEXT_SECRET]: 1 } },
      { secrets: [{ secret: TEXT_SECRET }] },
    ];
    for (const options of wrong) {
      for (const secret of [SECRET, TEXT_SECRET]) expect(refusal(options)).not.toContain(secret);
    }
  });

  it("may be as few as one and as long as they like", () => {
    expect(() => signature({ secrets: [OTHER] })).not.toThrow();
    expect(() => signature({ secrets: [new Uint8Array(64), SECRET] })).not.toThrow();
  });
});

it.each<[unknown, string]>([
  [undefined, "signature() was given undefined; allowed is an object with secrets"],
  [{ secrets: [SECRET], tolerence: 1 }, "signature() has no option 'tolerence'"],
  [{ secrets: [SECRET], tolerance: 300 }, "tolerance is 300"],
  [{ secrets: [SECRET], tolerance: {} }, "tolerance is {}"],
  [{ secrets: [SECRET], tolerance: { minutes: -5 } }, "tolerance is { minutes: -5 }"],
  [{ secrets: [SECRET], tolerance: { seconds: 0 } }, "tolerance is { seconds: 0 }"],
  [{ secrets: [SECRET], tolerance: { hours: 25 } }, "allowed is at most a day"],
  [{ secrets: [SECRET], clock: Date.now }, "clock is a function"],
  [{ secrets: [SECRET], clock: null }, "clock is null"],
  [{ secrets: [SECRET], scheme: "md5" }, "scheme is 'md5'"],
])("refuses the options %j", (options, sentence) => {
  expect(refusal(options)).toContain(sentence);
});
