import { describe, expect, it } from "vitest";
import { schedule } from "../../../src/lambda/batch/schedule.ts";

/** Runs tasks that wait for others, and answers when each began and ended. */
async function traceOf(waitsFor: readonly (readonly number[])[], concurrency: number, rejects: readonly number[] = []) {
  const trace: string[] = [];
  await schedule(waitsFor, concurrency, async (index) => {
    trace.push(`+${index}`);
    await Promise.resolve();
    trace.push(`-${index}`);
    if (rejects.includes(index)) throw new Error("no");
  });
  return trace.join(" ");
}

describe("a schedule", () => {
  it("of nothing ends at once", async () => expect(await traceOf([], 1)).toBe(""));
  it("goes one by one", async () => expect(await traceOf([[], [], []], 1)).toBe("+0 -0 +1 -1 +2 -2"));
  it("goes two at a time", async () => expect(await traceOf([[], [], []], 2)).toBe("+0 +1 -0 -1 +2 -2"));
  it("lets a task wait for those before it, and others pass", async () =>
    expect(await traceOf([[], [0], [], [1, 2]], 4)).toBe("+0 +2 -0 -2 +1 -1 +3 -3"));
  it("goes on where a task rejects", async () =>
    expect(await traceOf([[], [0], []], 1, [0, 1])).toBe("+0 -0 +2 -2 +1 -1"));
  it("takes as many tasks as a stream can send", async () => {
    const chain = Array.from({ length: 10_000 }, (_, index) => (index === 0 ? [] : [index - 1]));
    expect((await traceOf(chain, 10)).split(" ")).toHaveLength(20_000);
  });
});
