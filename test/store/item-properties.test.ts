import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { Encoded, IdempotencyRecord } from "../../src/core/record.ts";
import type { EpochMillis, EpochSeconds } from "../../src/core/time.ts";
import type { AttributeValue, Item } from "../../src/store/attributes.ts";
import { fromItem, toItem } from "../../src/store/item.ts";
import { completedSize, ITEM_LIMIT } from "../../src/store/size.ts";

describe("any item", () => {
  const text = fc.string({ unit: "binary" });
  const encoded: fc.Arbitrary<Encoded> = fc.record({ encoding: text, data: fc.oneof(text, fc.uint8Array()) });
  const millis = fc.integer({
    min: 1e11,
    max: Number.MAX_SAFE_INTEGER,
  }) as fc.Arbitrary<number> as fc.Arbitrary<EpochMillis>;
  const seconds = fc.integer({ min: 0, max: 1e11 }) as fc.Arbitrary<number> as fc.Arbitrary<EpochSeconds>;
  const shared = {
    id: text,
    owner: text,
    attempt: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    fingerprint: fc.option(text, { nil: undefined }),
    createdAt: millis,
  };
  const steps = fc
    .dictionary(fc.oneof(text, fc.constantFrom("__proto__", "constructor", "")), encoded)
    .map((map) => ({ ...map }));
  const finished = { ...shared, expiresAt: seconds, completedAt: millis, result: encoded };
  const record: fc.Arbitrary<IdempotencyRecord> = fc.oneof(
    fc.record({
      ...shared,
      status: fc.constant("IN_PROGRESS" as const),
      lockedUntil: millis,
      expiresAt: fc.option(seconds, { nil: undefined }),
      steps,
    }),
    fc.record({ ...finished, status: fc.constant("COMPLETED" as const) }),
    fc.record({ ...finished, status: fc.constant("FAILED" as const) }),
    fc.record({ ...shared, status: fc.constant("RELEASED" as const), expiresAt: seconds, steps }),
  );

  test.prop([record])("gives back any record", (any) => {
    expect(fromItem(toItem(any), any.id)).toEqual(any);
  });

  const value: fc.Arbitrary<unknown> = fc.oneof(
    fc.record({
      S: fc.oneof(fc.constantFrom("IN_PROGRESS", "COMPLETED", "FAILED", "RELEASED", "ISSUED", "undefined"), text),
    }),
    fc.record({ N: fc.oneof(fc.nat().map(String), text) }),
    fc.record({ B: fc.uint8Array() }),
    fc.record({ M: fc.dictionary(fc.string(), fc.anything()) }),
    fc.anything(),
  );
  const names = [
    "id",
    "v",
    "status",
    "owner",
    "attempt",
    "lockedUntil",
    "expiresAt",
    "fingerprint",
    "result",
    "encoding",
    "steps",
    "createdAt",
  ];

  test.prop([fc.dictionary(fc.constantFrom(...names, "completedAt"), value), fc.boolean()])(
    "never throws, however broken it is",
    (item, first) => {
      const found = fromItem({ ...(first && { v: { N: "1" } }), ...item } as Item, "a");
      expect(["UNREADABLE", "IN_PROGRESS", "COMPLETED", "FAILED", "RELEASED"]).toContain(found?.status);
    },
  );

  test.prop([record, fc.constantFrom(...names, "completedAt"), value])(
    "with one attribute overwritten is a record or names an attribute",
    (sound, name, other) => {
      const found = fromItem({ ...toItem(sound), [name]: other as AttributeValue }, sound.id);
      if (found?.status === "UNREADABLE") expect(found.reason).toMatch(/^the attribute \w+ |^record version /);
    },
  );

  test.prop([record])("is never larger than the size that is reckoned with before it is sent", (any) => {
    if (!("result" in any)) return;
    const size = (value: AttributeValue): number =>
      "S" in value
        ? Buffer.byteLength(value.S)
        : "B" in value
          ? value.B.length
          : "N" in value
            ? Math.ceil(value.N.length / 2) + 1
            : 0;
    const { fingerprint = "", ...rest } = toItem(any);
    const real = Object.entries(rest).reduce(
      (sum, [name, value]) => sum + Buffer.byteLength(name) + size(value as AttributeValue),
      64,
    );
    expect(completedSize(any)).toBeGreaterThanOrEqual(real);
    expect(completedSize(any) - real).toBeLessThan(ITEM_LIMIT - 399 * 1024);
  });
});
