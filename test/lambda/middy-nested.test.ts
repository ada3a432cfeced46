import { describe, expect, it, vi } from "vitest";
import { type CurrentClaim, currentClaim, idempotent } from "../../src/index.ts";
import { idempotency } from "../../src/middy.ts";
import { lambdaContext, type TestContext, testingStore } from "../../src/testing.ts";
import { type AnyMiddy, MIDDIES, post } from "./middies.ts";

type Event = ReturnType<typeof post>;
type Inner = (event: Event, context: TestContext) => Promise<unknown>;

/** A handler under the middleware, and a wrapped function with the middleware's own options. */
function setUp(middy: AnyMiddy, options: object = {}) {
  const store = testingStore();
  const shared = { store, operation: "orders", key: 'headers."Idempotency-Key"', ...options } as const;
  const inner = idempotent(async (_event: Event, _context: TestContext) => "inner", shared);
  const outside = (handler: Inner) => middy(handler).use(idempotency(shared as never));
  return { store, shared, inner, outside };
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(String, (error: { code?: unknown }) => error.code);

describe.each(MIDDIES)("under the middleware of %s, a wrapped function", (_, middy) => {
  // Seen by a reviewer: with whenInProgress 'wait' it waited for its own end, until the Lambda's time was over.
  it.each(["reject", "wait"] as const)(
    "with the handler's own key is a typed error at once, where it is given the context (%s)",
    async (whenInProgress) => {
      const { inner, outside } = setUp(middy, { whenInProgress });
      const codes: unknown[] = [];
      const call = outside(async (event, context) => {
        codes.push(await codeOf(inner(event, context)));
        codes.push(await codeOf(inner(event, { ...context })));
        return "done";
      });
      const begun = performance.now();
      expect(await call(post("k-1"), lambdaContext())).toBe("done");
      expect(codes).toStrictEqual(["reentrant", "reentrant"]);
      expect(performance.now() - begun).toBeLessThan(1_000);
    },
  );

  it("with the handler's own key is a typed error also where it inherits the context, or runs in a step", async () => {
    const { store, shared, outside } = setUp(middy, { whenInProgress: "wait" });
    const again = idempotent(async (_: Event) => "again", shared);
    const between = idempotent(async (event: Event, _: TestContext) => codeOf(again(event)) as Promise<string>, {
      store,
      operation: "between",
      key: "path",
    });
    const call = outside(async (event, context) => {
      const { claim } = context as unknown as { readonly claim: CurrentClaim };
      return [await between(event, context), await claim.step("again", () => codeOf(again(event)) as Promise<string>)];
    });
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual(["reentrant", "reentrant"]);
  });

  it("with another key, or of another operation, has a claim of its own", async () => {
    const { store, inner, outside } = setUp(middy);
    const other = idempotent(async (_event: Event, _context: TestContext) => currentClaim().id ?? "", {
      store,
      operation: "others",
      key: 'headers."Idempotency-Key"',
    });
    const call = outside(async (event, context) => [await inner(post("k-2"), context), await other(event, context)]);
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual(["inner", expect.stringMatching(/^others#/)]);
    expect(store.records()).toHaveLength(3);
  });

  it("with a context whose request is over is answered as any other call", async () => {
    const { store, inner, outside } = setUp(middy);
    const context = lambdaContext();
    expect(await outside(async () => "outer")(post("k-1"), context)).toBe("outer");
    expect(await inner(post("k-1"), context)).toBe("outer");
    const failing = outside(async () => {
      throw new Error("declined");
    });
    await expect(failing(post("k-2"), context)).rejects.toThrow("declined");
    expect(await inner(post("k-2"), context)).toBe("inner");
    expect(store.records()).toHaveLength(2);
  });

  it("with a context whose request nobody has ended is answered as any other call after the deadline", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const { store, inner, outside } = setUp(middy);
      const context = lambdaContext();
      // Middy tells nobody that a later middleware has answered in the handler's place.
      await outside(async () => "outer").before(() => ({ statusCode: 304 }))(post("k-1"), context);
      expect(await codeOf(inner(post("k-1"), context))).toBe("reentrant");
      vi.advanceTimersByTime(30_000);
      store.advance({ minutes: 1 });
      expect(await inner(post("k-1"), { ...context, getRemainingTimeInMillis: () => 30_000 })).toBe("inner");
    } finally {
      vi.useRealTimers();
    }
  });
});
