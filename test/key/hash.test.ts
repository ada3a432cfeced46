import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdempotencyConfigError } from "../../src/core/errors.ts";
import { fingerprintHash, recordId, validateSecrets } from "../../src/key/hash.ts";

const secret = "0123456789abcdef0123456789abcdef";

describe("recordId", () => {
  it("is the operation and the base64url of a SHA-256, and stays the same from release to release", () => {
    const id = recordId({ operation: "pay", principal: '"é"', key: '"o-1"' });
    expect(id).toBe(`pay#${createHash("sha256").update('id:3:pay4:"é"5:"o-1"').digest("base64url")}`);
    expect(id).toMatch(/^pay#[\w-]{43}$/);
  });

  it("is injective over operation, principal and key", () => {
    const part = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "#", ":", "1", "-", "é", '"') }),
      fc.string({ unit: "grapheme" }),
    );
    const identity = fc.record({ operation: part, principal: fc.option(part, { nil: undefined }), key: part });
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        const equal = a.operation === b.operation && a.principal === b.principal && a.key === b.key;
        return (recordId(a) === recordId(b)) === equal;
      }),
      { numRuns: 2000 },
    );
  });

  it("tells a#b, c from a, b#c (bad input: a#b + c against a + b#c)", () => {
    expect(recordId({ operation: "o", principal: "a#b", key: "c" })).not.toBe(
      recordId({ operation: "o", principal: "a", key: "b#c" }),
    );
    expect(recordId({ operation: "a#b", principal: undefined, key: "c" })).not.toBe(
      recordId({ operation: "a", principal: undefined, key: "b#c" }),
    );
  });

  it("tells no principal from every principal", () => {
    for (const principal of ["", "-", "null", '""', "0:"]) {
      expect(recordId({ operation: "o", principal, key: "k" })).not.toBe(
        recordId({ operation: "o", principal: undefined, key: "k" }),
      );
    }
  });

  it("is an HMAC where a secret is given, the same for its bytes", () => {
    const identity = { operation: "o", principal: undefined, key: "1" };
    const id = recordId({ ...identity, secret });
    expect(id).toBe(`o#${createHmac("sha256", secret).update("id:1:o-1:1").digest("base64url")}`);
    expect(recordId({ ...identity, secret: Buffer.from(secret) })).toBe(id);
    expect(recordId({ ...identity, secret: secret.toUpperCase() })).not.toBe(id);
    expect(recordId(identity)).not.toBe(id);
  });
});

describe("fingerprintHash", () => {
  it("is never the hash of an id, with and without a secret", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.option(fc.constant(secret), { nil: undefined }), (a, b, withSecret) => {
        const id = recordId({ operation: a, principal: undefined, key: b, secret: withSecret });
        return ![a, b, `id:${a}`].some((text) => id.endsWith(`#${fingerprintHash(text, withSecret)}`));
      }),
    );
  });

  it("differs by text and by secret", () => {
    expect(
      new Set([
        fingerprintHash("1"),
        fingerprintHash("2"),
        fingerprintHash("1", secret),
        fingerprintHash("1", `${secret}!`),
      ]).size,
    ).toBe(4);
  });
});

describe("validateSecrets", () => {
  it("passes none, and one or more of 32 bytes", () => {
    expect(validateSecrets(undefined)).toBeUndefined();
    expect(validateSecrets([secret, new Uint8Array(32)])).toEqual([secret, new Uint8Array(32)]);
    expect(validateSecrets(["é".repeat(16)])).toHaveLength(1);
  });

  it("keeps a copy, which later changes do not reach", () => {
    const bytes = new Uint8Array(32);
    const [kept] = validateSecrets([bytes]) ?? [];
    bytes.fill(1);
    expect(kept).toEqual(new Uint8Array(32));
  });

  it.each<[string, unknown]>([
    ["a bare string", secret],
    ["bare bytes", Buffer.from(secret)],
    ["null", null],
    ["an empty list", []],
    ["31 bytes", [secret.slice(1)]],
    ["an empty string", [""]],
    ["a hole", [secret, , `${secret}x`]],
    ["a number", [12345]],
    ["the same twice", [secret, `${secret}x`, secret]],
    ["the same as a string and as bytes", [secret, Buffer.from(secret)]],
    ["an object", { 0: secret }],
  ])("refuses %s and never prints a secret", (_, given) => {
    let caught: unknown;
    try {
      validateSecrets(given);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(IdempotencyConfigError);
    expect((caught as Error).message).toContain("32 bytes");
    expect((caught as Error).message).not.toMatch(/0123|89abcdef|12345/);
  });
});
