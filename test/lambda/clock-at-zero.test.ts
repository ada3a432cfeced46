import { expect, it, onTestFinished, vi } from "vitest";
import { idempotent, memoryStore } from "../../src/index.ts";

// seen by a reviewer: with `performance.timeOrigin` and the date at 0, as fake timers set them, the first ids were all the same
it("two calls are told apart where a test begins at the clock's zero", async () => {
  vi.useFakeTimers({ now: 0 });
  onTestFinished(() => void vi.useRealTimers());
  expect([performance.timeOrigin, Date.now()]).toStrictEqual([0, 0]);
  const store = memoryStore({ clock: { now: () => 1_750_000_000_000 } as never });
  let charged = 0;
  const charge = idempotent(async (_: { id: string }) => ({ charged: ++charged }), {
    store,
    operation: "charge",
    key: "id",
  });
  const [one, other] = await Promise.allSettled([charge({ id: "a" }), charge({ id: "a" })]);
  expect(charged).toBe(1);
  expect([one.status, other.status]).toStrictEqual(["fulfilled", "rejected"]);
});
