import { randomFillSync } from "node:crypto";
import { afterEach, expect, it, vi } from "vitest";
import { processRuntime } from "../../src/lambda/runtime.ts";

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  return { ...crypto, randomFillSync: vi.fn(crypto.randomFillSync) };
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const drawn = (): number => vi.mocked(randomFillSync).mock.calls.length;
const { uniqueId } = processRuntime;

it("are UUIDs of version 4, of which no two are the same", () => {
  const ids = Array.from({ length: 10_000 }, uniqueId);
  expect(ids.every((id) => /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(10_000);
});

it("are drawn 64 at a time, and anew in the next second and in a process that has started anew", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_750_000_000_000 });
  uniqueId();
  const before = drawn();
  for (let id = 1; id < 64; id++) uniqueId();
  expect(drawn()).toBe(before);
  uniqueId();
  expect(drawn()).toBe(before + 1);
  vi.setSystemTime(1_750_000_000_999);
  uniqueId();
  expect(drawn()).toBe(before + 1);
  vi.setSystemTime(1_750_000_001_000);
  uniqueId();
  expect(drawn()).toBe(before + 2);
  vi.setSystemTime(1_749_999_999_999);
  uniqueId();
  expect(drawn()).toBe(before + 3);
  vi.spyOn(performance, "timeOrigin", "get").mockReturnValue(1_749_999_999_000.5);
  uniqueId();
  expect(drawn()).toBe(before + 4);
});
