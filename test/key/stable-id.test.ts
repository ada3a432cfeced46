import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recordId } from "../../src/key/hash.ts";
import { stableId } from "../../src/key/stable-id.ts";

const UUID_5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("stableId", () => {
  it("never changes from one version of the library to the next", () => {
    expect(stableId("place-order#x3Jq", "charge")).toBe(stableId("place-order#x3Jq", "charge"));
    expect(stableId("place-order#x3Jq", "charge")).toMatchInlineSnapshot(`"8bf77311-7136-57ff-89b6-6b0124d2ab70"`);
  });

  it("is a valid UUID of version 5 for whatever name", () => {
    const name = fc.string({ unit: "binary" });
    fc.assert(fc.property(name, (one) => UUID_5.test(stableId("op#1", one))));
  });

  it("differs where operation, principal, key or name differ, wherever the parts are cut", () => {
    const part = fc.oneof(fc.string({ minLength: 1, maxLength: 3 }), fc.constantFrom("a", "a#", "#a", "\n", "a\nb"));
    const operation = fc.constantFrom("a", "a#b", "b");
    const whole = fc.tuple(operation, fc.option(part, { nil: undefined }), part, part);
    const idOf = ([name, principal, key, what]: [string, string | undefined, string, string]): string =>
      stableId(recordId({ operation: name, principal, key }), what);
    fc.assert(
      fc.property(whole, whole, (one, other) => {
        expect(idOf(one) === idOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 2_000 },
    );
  });

  it("says nothing about what it is made of", () => {
    expect(stableId("op#1", "charge")).not.toContain(Buffer.from("charge").toString("hex"));
  });
});
