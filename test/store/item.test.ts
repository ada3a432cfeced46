import { describe, expect, it } from "vitest";
import type { IdempotencyRecord } from "../../src/core/record.ts";
import type { EpochMillis, EpochSeconds } from "../../src/core/time.ts";
import type { Item } from "../../src/store/attributes.ts";
import { fromItem, toItem } from "../../src/store/item.ts";
import { CORRUPTIONS } from "../contract/corrupt-items.ts";

const base = {
  id: "order#1",
  owner: "me",
  attempt: 2,
  fingerprint: "print",
  createdAt: 1_700_000_000_000 as EpochMillis,
};
const expiresAt = 1_700_000_090 as EpochSeconds;
const completedAt = 1_700_000_001_000 as EpochMillis;
const baseItem: Item = {
  id: { S: "order#1" },
  v: { N: "1" },
  owner: { S: "me" },
  attempt: { N: "2" },
  fingerprint: { S: "print" },
  createdAt: { N: "1700000000000" },
};
const expiry: Item = { expiresAt: { N: "1700000090" } };

const PAIRS: readonly (readonly [string, IdempotencyRecord, Item])[] = [
  [
    "in progress",
    { ...base, status: "IN_PROGRESS", lockedUntil: 1_700_000_030_000 as EpochMillis, expiresAt, steps: {} },
    { ...baseItem, ...expiry, status: { S: "IN_PROGRESS" }, lockedUntil: { N: "1700000030000" }, steps: { M: {} } },
  ],
  [
    "in progress for ever, with steps",
    {
      ...base,
      status: "IN_PROGRESS",
      lockedUntil: 1_700_000_030_000 as EpochMillis,
      expiresAt: undefined,
      steps: {
        a: { encoding: "json", data: "1" },
        b: { encoding: "x", data: Uint8Array.of(1) },
        c: { encoding: "undefined" },
      },
    },
    {
      ...baseItem,
      status: { S: "IN_PROGRESS" },
      lockedUntil: { N: "1700000030000" },
      steps: {
        M: {
          a: { M: { encoding: { S: "json" }, data: { S: "1" } } },
          b: { M: { encoding: { S: "x" }, data: { B: Uint8Array.of(1) } } },
          c: { M: { encoding: { S: "undefined" } } },
        },
      },
    },
  ],
  [
    "completed",
    { ...base, status: "COMPLETED", expiresAt, completedAt, result: { encoding: "json", data: "{}" } },
    {
      ...baseItem,
      ...expiry,
      status: { S: "COMPLETED" },
      completedAt: { N: "1700000001000" },
      encoding: { S: "json" },
      result: { S: "{}" },
    },
  ],
  [
    "completed with bytes",
    {
      ...base,
      status: "COMPLETED",
      expiresAt,
      completedAt,
      result: { encoding: "json+deflate", data: Uint8Array.of(7) },
    },
    {
      ...baseItem,
      ...expiry,
      status: { S: "COMPLETED" },
      completedAt: { N: "1700000001000" },
      encoding: { S: "json+deflate" },
      result: { B: Uint8Array.of(7) },
    },
  ],
  [
    "completed with undefined",
    { ...base, status: "COMPLETED", expiresAt, completedAt, result: { encoding: "undefined" } },
    {
      ...baseItem,
      ...expiry,
      status: { S: "COMPLETED" },
      completedAt: { N: "1700000001000" },
      encoding: { S: "undefined" },
    },
  ],
  [
    "failed, without fingerprint",
    {
      ...base,
      fingerprint: undefined,
      status: "FAILED",
      expiresAt,
      completedAt,
      result: { encoding: "error", data: "" },
    },
    (({ fingerprint: _, ...rest }) => ({
      ...rest,
      ...expiry,
      status: { S: "FAILED" },
      completedAt: { N: "1700000001000" },
      encoding: { S: "error" },
      result: { S: "" },
    }))(baseItem),
  ],
  [
    "released",
    { ...base, status: "RELEASED", expiresAt, steps: { a: { encoding: "json", data: "1" } } },
    {
      ...baseItem,
      ...expiry,
      status: { S: "RELEASED" },
      steps: { M: { a: { M: { encoding: { S: "json" }, data: { S: "1" } } } } },
    },
  ],
];

describe("an item", () => {
  it.each(PAIRS)("holds exactly the attributes of a record that is %s, and gives it back", (_, record, item) => {
    expect(toItem(record)).toStrictEqual(item);
    expect(fromItem(item, record.id)).toStrictEqual(record);
  });

  it("that is none is undefined", () => {
    expect(fromItem(undefined, "a")).toBeUndefined();
  });

  const sound = (of: "completed" | "running"): Item => (of === "completed" ? PAIRS[2] : PAIRS[0])?.[2] ?? {};

  it.each(CORRUPTIONS.filter(({ what }) => !/in milliseconds|in seconds/.test(what)))(
    "with $what is unreadable",
    ({ of, corrupt, reason }) => {
      expect(fromItem(corrupt(sound(of)), "order#1")).toStrictEqual({
        status: "UNREADABLE",
        id: "order#1",
        reason: expect.stringMatching(reason),
      });
    },
  );

  it.each([
    ["seconds", "expiresAt", "completed", 100_000_000_000, 100_000_000_001],
    ["milliseconds", "lockedUntil", "running", 100_000_000_000, 99_999_999_999],
  ] as const)("whose time is evidently not in %s is unreadable", (_, name, of, last, beyond) => {
    expect(fromItem({ ...sound(of), [name]: { N: String(last) } }, "a")).not.toHaveProperty("reason");
    expect(fromItem({ ...sound(of), [name]: { N: String(beyond) } }, "a")).toHaveProperty(
      "reason",
      expect.stringContaining(`attribute ${name}`),
    );
  });

  it.each(["", "abc", "-1", "01", "1.0", "1e3", "0x10", " 1", "9007199254740992", "NaN", "Infinity"])(
    "with the number '%s' is unreadable",
    (N) => {
      expect(fromItem({ ...sound("completed"), attempt: { N } }, "a")).toMatchObject({ status: "UNREADABLE" });
    },
  );

  it("without anything to read is unreadable, whatever it is", () => {
    for (const item of [
      {},
      null,
      7,
      "x",
      [],
      new Uint8Array(3),
      { v: null },
      { v: [] },
      { v: { N: 1 } },
      { v: { S: "1", N: {} } },
    ]) {
      expect(fromItem(item as never, "a")).toStrictEqual({
        status: "UNREADABLE",
        id: "a",
        reason: expect.stringContaining("attribute v"),
      });
    }
  });

  it("says its version first, whatever else is wrong", () => {
    expect(fromItem({ v: { N: "99" }, status: { S: "?" } }, "a")).toHaveProperty(
      "reason",
      expect.stringMatching(/^record version 99 is newer than 1/),
    );
  });

  it("reads nothing from prototypes", () => {
    const item = Object.create(sound("completed")) as Item;
    expect(fromItem(item, "a")).toMatchObject({ status: "UNREADABLE", reason: "the attribute v is missing" });
  });

  it("shares no bytes with its record", () => {
    const data = Uint8Array.of(1, 2);
    const record: IdempotencyRecord = {
      ...base,
      status: "COMPLETED",
      expiresAt,
      completedAt,
      result: { encoding: "x", data },
    };
    const item = toItem(record);
    const read = fromItem(item, "a");
    data.fill(9);
    expect(item["result"]).toStrictEqual({ B: Uint8Array.of(1, 2) });
    expect(read).toHaveProperty("result.data", Uint8Array.of(1, 2));
  });
});
