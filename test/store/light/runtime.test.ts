import { afterEach, expect, it, vi } from "vitest";
import { lightRuntime } from "../../../src/store/light/runtime.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("an alarm rings once, when its time has come, and not after it was cancelled", () => {
  vi.useFakeTimers();
  const rung: string[] = [];
  lightRuntime.alarm(1_000, () => rung.push("first"));
  lightRuntime.alarm(1_000, () => rung.push("cancelled"))();
  vi.advanceTimersByTime(999);
  expect(rung).toStrictEqual([]);
  vi.advanceTimersByTime(10_000);
  expect(rung).toStrictEqual(["first"]);
});

it("an alarm far beyond what a timer can hold does not ring at once", () => {
  vi.useFakeTimers();
  const ring = vi.fn();
  lightRuntime.alarm(100 * 366 * 86_400_000, ring);
  vi.advanceTimersByTime(86_400_000);
  expect(ring).not.toHaveBeenCalled();
});
