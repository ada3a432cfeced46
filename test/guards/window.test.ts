import { fc, test } from "@fast-check/vitest";
import { afterEach, describe, expect, it, vi } from "vitest";
import event from "../../events/eventbridge.json" with { type: "json" };
import { IdempotencyConfigError } from "../../src/core/errors.ts";
import { IdempotencyKeyMissingError } from "../../src/core/refusals.ts";
import { window } from "../../src/guards.ts";
import { idempotent, memoryStore } from "../../src/index.ts";

const HOUR = 3_600_000;
const hourly = window({ hours: 1 });

afterEach(() => {
  vi.useRealTimers();
});

it("is one label for all times of an hour, and another one in the next", () => {
  expect(hourly("2026-11-07T09:00:00Z")).toBe("2026-11-07T09:00:00.000Z/3600s");
  expect(hourly("2026-11-07T09:59:59.999Z")).toBe(hourly("2026-11-07T09:00:00Z"));
  expect(hourly("2026-11-07T10:00:00Z")).not.toBe(hourly("2026-11-07T09:00:00Z"));
  expect(hourly(event.time)).toBe("2026-11-07T09:00:00.000Z/3600s");
});

it("is the same for a Date, for milliseconds, and for a text in any zone", () => {
  const at = Date.UTC(2026, 10, 7, 9, 30);
  const labels = [at, new Date(at), "2026-11-07T09:30:00Z", "2026-11-07T10:30+01:00", "2026-11-07T09:30:00.000Z"].map(
    (time) => hourly(time),
  );
  expect(new Set(labels).size).toBe(1);
});

it("is that of now without a time", () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 7, 9, 59, 59, 999) });
  expect(hourly()).toBe("2026-11-07T09:00:00.000Z/3600s");
  vi.setSystemTime(Date.UTC(2026, 10, 7, 10));
  expect(hourly()).toBe("2026-11-07T10:00:00.000Z/3600s");
});

it("begins days at midnight in UTC, and weeks on Thursday", () => {
  expect(window({ days: 1 })("2026-11-07T23:59:59Z")).toBe("2026-11-07T00:00:00.000Z/86400s");
  expect(new Date(window({ days: 7 })("2026-11-07T12:00:00Z").slice(0, 24)).getUTCDay()).toBe(4);
});

it("tells windows of two lengths apart that begin together", () => {
  expect(window({ minutes: 30 })("2026-11-07T09:00:00Z")).not.toBe(hourly("2026-11-07T09:00:00Z"));
  expect(window({ minutes: 60 })("2026-11-07T09:00:00Z")).toBe(hourly("2026-11-07T09:00:00Z"));
});

describe("what is no time", () => {
  it.each<[unknown]>([
    [undefined],
    [null],
    [""],
    ["now"],
    ["2026-11-07"],
    ["2026-11-07T09:30:00"],
    ["2026-13-07T09:30:00Z"],
    // Seen by a reviewer: it was a day in March.
    ["2026-02-30T09:30:00Z"],
    ["2026-02-29T09:30:00+02:00"],
    ["2026-00-10T09:30:00Z"],
    ["1794043812000"],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [1e300],
    [new Date("no")],
    [{}],
  ])("is refused: %j", (at) => {
    expect(() => hourly(at as string)).toThrow(IdempotencyKeyMissingError);
    expect(() => hourly(at as string)).toThrow("the time of a window is");
  });

  it("is not in the message", () => {
    expect(() => hourly("a private text")).not.toThrow("private");
  });
});

it.each([{}, { hours: 0 }, { hours: -1 }, { hours: Number.NaN }, 3600, undefined, { weeks: 1 }])(
  "refuses a length of %j at once",
  (length) => {
    expect(() => window(length as { hours: number })).toThrow(IdempotencyConfigError);
  },
);

it("runs an operation once per window, and again on the other side of its edge", async () => {
  let runs = 0;
  const report = idempotent(async (_event: { customer: string; time: string }) => ++runs, {
    store: memoryStore(),
    operation: "report",
    key: ({ customer, time }) => [customer, hourly(time)],
  });
  await report({ customer: "c-1", time: "2026-11-07T09:59:59Z" });
  await report({ customer: "c-1", time: "2026-11-07T09:00:00Z" });
  expect(runs).toBe(1);
  await report({ customer: "c-1", time: "2026-11-07T10:00:00Z" });
  await report({ customer: "c-2", time: "2026-11-07T10:00:00Z" });
  expect(runs).toBe(3);
});

const time = fc.integer({ min: -(10 ** 12), max: 10 ** 14 });

test.prop([time, time, fc.integer({ min: 1, max: 10 ** 7 })])(
  "labels of two times are equal exactly where no edge lies between them",
  (one, other, seconds) => {
    const label = window({ seconds });
    const same = Math.floor(one / (seconds * 1000)) === Math.floor(other / (seconds * 1000));
    expect(label(one) === label(other)).toBe(same);
  },
);

test.prop([time])("a label's own time lies in its window, and less than the window's length before", (at) => {
  const start = Date.parse(hourly(at).replace("/3600s", ""));
  expect(start % HOUR).toBeCloseTo(0);
  expect(at - start).toBeGreaterThanOrEqual(0);
  expect(at - start).toBeLessThan(HOUR);
});
