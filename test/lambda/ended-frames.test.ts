import { describe, expect, it } from "vitest";
import { currentClaim, idempotent } from "../../src/index.ts";
import { lambdaContext, testingStore } from "../../src/testing.ts";

/** A batching queue, as data loaders and connection pools have one: its timer is born in the first call that uses it. */
function sharedQueue() {
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  return {
    add(done: () => void) {
      timer ??= setInterval(() => {
        for (const one of waiting.splice(0)) one();
      }, 5);
      waiting.push(done);
    },
    close: () => clearInterval(timer),
  };
}

// Seen by a reviewer: Bob's charge was asked for under Ann's key.
describe("the frame of a call that has ended", () => {
  it("does not lend its claim's keys to a later call", async () => {
    const queue = sharedQueue();
    const charge = idempotent(
      (_: string) =>
        new Promise<string>((resolve, reject) => {
          queue.add(() => {
            try {
              resolve(currentClaim().keyFor("charge"));
            } catch (error) {
              reject(error);
            }
          });
        }),
      { store: testingStore(), operation: "charge" },
    );
    const ann = await charge("ann");
    const bob = await charge("bob").catch((error: { code: string }) => error.code);
    queue.close();
    expect(bob).not.toBe(ann);
  });

  it("does not lend its Lambda's time to a later call", async () => {
    const queue = sharedQueue();
    const store = testingStore();
    const inner = idempotent(async (id: string) => id, { store, operation: "inner" });
    const outer = idempotent(
      (id: string, _: unknown) =>
        new Promise<string>((resolve, reject) => queue.add(() => inner(id).then(resolve, reject))),
      { store, operation: "outer", key: (id) => id },
    );
    expect(await outer("a", lambdaContext({ remaining: { seconds: 1 } }))).toBe("a");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const later = await outer("b", lambdaContext()).catch((error: { code: string }) => error.code);
    queue.close();
    expect(later).toBe("b");
  });
});

// Seen by a reviewer: the timer was born in a step, and what it calls is the function's.
it("a callback that was born in a step finds the claim of the function", async () => {
  const queue = sharedQueue();
  const call = idempotent(
    async (_: string) => {
      await currentClaim().step("first", () => new Promise<string>((resolve) => queue.add(() => resolve("x"))));
      return new Promise<string>((resolve, reject) => {
        queue.add(() => {
          try {
            resolve(currentClaim().keyFor("x"));
          } catch (error) {
            reject(error);
          }
        });
      });
    },
    { store: testingStore(), operation: "charge" },
  );
  await expect(call("1")).resolves.toMatch(/-/);
  queue.close();
});
