import httpErrorHandler from "@middy/http-error-handler";
import { describe, expect, it, vi } from "vitest";
import type { CurrentClaim } from "../../src/index.ts";
import { idempotency } from "../../src/middy.ts";
import { lambdaContext, testingStore } from "../../src/testing.ts";
import { type HookRequest, http, MIDDIES, post } from "./middies.ts";

const done = { statusCode: 201, body: "done" };
const stop = new Error("another hook failed");
const fail = (): never => {
  throw stop;
};

function setUp() {
  const store = testingStore();
  const handler = vi.fn(async (_event: unknown, _context: { readonly claim: CurrentClaim }): Promise<unknown> => done);
  const turns: string[] = [];
  const ours = idempotency({
    store,
    operation: "orders",
    key: 'headers."Idempotency-Key"',
    observe: ({ type }) => void turns.push(type),
  });
  return { store, handler, turns, ours, statuses: () => store.records().map(({ status }) => status) };
}

/** A context of a Lambda that Middy believes to end in `middyEndsIn` ms, and that has 30 s left for everybody else. */
function endingFor(middyEndsIn: number) {
  const getRemainingTimeInMillis = vi.fn(() => middyEndsIn).mockImplementationOnce(() => 30_000);
  return { ...lambdaContext(), getRemainingTimeInMillis };
}

describe.each(MIDDIES)("among the hooks of others in %s, the middleware", (_, middy) => {
  it("claims nothing when an earlier before answers early", async () => {
    const { store, handler, turns, ours } = setUp();
    const call = middy(handler)
      .before(() => ({ statusCode: 304 }))
      .use(ours);
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual({ statusCode: 304 });
    expect([handler.mock.calls.length, store.records().length, turns.length]).toStrictEqual([0, 0, 0]);
  });

  it("releases nothing when an earlier before throws, also while another request holds the key", async () => {
    const { store, handler, ours, statuses } = setUp();
    let failing = false;
    let open: (value: unknown) => void = () => {};
    handler.mockImplementation(() => new Promise((resolve) => (open = resolve)));
    const call = middy(handler)
      .before(() => (failing ? fail() : undefined))
      .use(ours);
    const first = call(post("k-1"), lambdaContext());
    await vi.waitFor(() => expect(handler).toHaveBeenCalled());
    failing = true;
    const before = store.records();
    await expect(call(post("k-1"), lambdaContext())).rejects.toBe(stop);
    expect(store.records()).toStrictEqual(before);
    open(done);
    expect(await first).toStrictEqual(done);
    expect(statuses()).toStrictEqual(["COMPLETED"]);
  });

  it("gives its claim back when a later before throws: the handler never ran", async () => {
    const { store, handler, turns, ours } = setUp();
    const call = middy(handler).use(ours).before(fail);
    await expect(call(post("k-1"), lambdaContext())).rejects.toBe(stop);
    expect(store.records()).toStrictEqual([]);
    expect(handler).not.toHaveBeenCalled();
    expect(turns).toStrictEqual(["claimed", "released"]);
  });

  // Seen by a reviewer: an error after the handler had answered looked like the handler's own, and freed the key.
  it.each([done, undefined])(
    "stores what the handler answered (%j) when another after hook throws before the save",
    async (answer) => {
      const { store, handler, ours, statuses } = setUp();
      handler.mockResolvedValue(answer);
      const after = vi.fn<() => void>().mockImplementationOnce(fail);
      const call = middy(handler).use(ours).after(after);
      await expect(call(post("k-1"), lambdaContext())).rejects.toBe(stop);
      expect(statuses()).toStrictEqual(["COMPLETED"]);
      expect(await call(post("k-1"), lambdaContext())).toStrictEqual(answer);
      expect(handler).toHaveBeenCalledTimes(1);
      expect(store.records()).toHaveLength(1);
    },
  );

  it("stores what the handler answered when Middy's own afterHandler throws", async () => {
    const { handler, ours, statuses } = setUp();
    const call = middy(handler, { afterHandler: vi.fn<() => void>().mockImplementationOnce(fail) }).use(ours);
    await expect(call(post("k-1"), lambdaContext())).rejects.toBe(stop);
    expect(statuses()).toStrictEqual(["COMPLETED"]);
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual(done);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("gives the key back for the handler's own error, whatever http-error-handler makes of it before", async () => {
    const { handler, turns, ours } = setUp();
    handler.mockRejectedValueOnce(Object.assign(new Error("no"), { statusCode: 422 }));
    const call = middy(handler)
      .use(ours)
      .use(httpErrorHandler({ logger: false }));
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({ statusCode: 422 });
    expect(turns).toStrictEqual(["claimed", "released"]);
  });

  it("keeps the record when another after hook throws after the save (P6)", async () => {
    const { store, handler, ours, statuses } = setUp();
    const after = vi.fn<() => void>().mockImplementationOnce(fail);
    const call = middy(handler).after(after).use(ours);
    await expect(call(post("k-1"), lambdaContext())).rejects.toBe(stop);
    const before = store.records();
    expect(statuses()).toStrictEqual(["COMPLETED"]);
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual(done);
    expect(store.records()).toStrictEqual(before);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("stores what the handler returned, not what other after hooks make of it", async () => {
    const { handler, ours } = setUp();
    const call = middy(handler)
      .after((request) => {
        request.response = { statusCode: 500, body: "changed" };
      })
      .use(ours);
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual({ statusCode: 500, body: "changed" });
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual(done);
  });

  it("holds the key when Middy's default timeoutEarly throws while the handler still runs (P5)", async () => {
    const { handler, turns, ours, statuses } = setUp();
    let open: (value: unknown) => void = () => {};
    handler.mockImplementationOnce(() => new Promise((resolve) => (open = resolve)));
    const call = middy(handler).use(ours);
    await expect(call(post("k-1"), endingFor(10))).rejects.toMatchObject({ name: "TimeoutError" });
    expect(statuses()).toStrictEqual(["IN_PROGRESS"]);
    await expect(call(post("k-1"), lambdaContext())).rejects.toMatchObject({ code: "in_progress" });
    open(done);
    await Promise.resolve();
    expect(statuses()).toStrictEqual(["IN_PROGRESS"]);
    expect(turns).toStrictEqual(["claimed", "held", "refused"]);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("holds, and stores nothing, when a timeoutEarlyResponse returns while the handler still runs (P5)", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const { handler, turns, ours, statuses } = setUp();
      handler.mockImplementationOnce(() => new Promise(() => vi.advanceTimersByTime(29_990)));
      const call = middy(handler, { timeoutEarlyResponse: () => ({ statusCode: 504 }) }).use(ours);
      expect(await call(post("k-1"), endingFor(10))).toStrictEqual({ statusCode: 504 });
      expect(statuses()).toStrictEqual(["IN_PROGRESS"]);
      await expect(call(post("k-1"), lambdaContext())).rejects.toMatchObject({ code: "in_progress" });
      expect(turns).toStrictEqual(["claimed", "held", "refused"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("holds the key after a timeout also where http-error-handler has hidden the error from it", async () => {
    const { handler, turns, ours, statuses } = setUp();
    handler.mockImplementationOnce(() => new Promise(() => {}));
    const call = middy(handler)
      .use(ours)
      .use(httpErrorHandler({ logger: () => {} }));
    expect(await call(post("k-1"), endingFor(10))).toMatchObject({ statusCode: 500 });
    expect(statuses()).toStrictEqual(["IN_PROGRESS"]);
    expect(turns).toStrictEqual(["claimed", "held"]);
  });

  it("still answers by its binding where http-error-handler runs before it", async () => {
    const { store, handler } = setUp();
    const call = middy(handler)
      .use(idempotency({ store, operation: "orders", binding: http as never }))
      .use(httpErrorHandler({ logger: () => {} }));
    await call(post("k-1"), lambdaContext());
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({
      ...done,
      headers: { "Idempotent-Replayed": "true" },
    });
    expect(await call(post("k-1", { other: true }), lambdaContext())).toMatchObject({ statusCode: 422 });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("releases the key for an error with a status, which http-error-handler leaves as it is", async () => {
    const { store, handler, ours } = setUp();
    handler.mockRejectedValueOnce(Object.assign(new Error("gone"), { statusCode: 410 }));
    const call = middy(handler)
      .use(ours)
      .use(httpErrorHandler({ logger: () => {} }));
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({ statusCode: 410 });
    expect(store.records()).toStrictEqual([]);
  });

  it("judges undefined that was thrown by its hook, not by its truthiness", async () => {
    const { store, handler, turns, ours } = setUp();
    handler.mockImplementationOnce(() => Promise.reject(undefined));
    const call = middy(handler).use(ours);
    await expect(call(post("k-1"), lambdaContext())).rejects.toBeUndefined();
    expect(store.records()).toStrictEqual([]);
    expect(turns).toStrictEqual(["claimed", "released"]);
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual(done);
  });

  it("keeps nothing of a request in internal, which Middy shares between requests", async () => {
    const internal = {};
    const seen: HookRequest["internal"][] = [];
    const { handler, ours } = setUp();
    const call = middy(handler, { internal })
      .use(ours)
      .before(({ internal }) => void seen.push(internal))
      .after(({ internal }) => void seen.push(internal));
    await call(post("k-1"), lambdaContext());
    expect(seen).toHaveLength(2);
    for (const one of [internal, ...seen]) expect(Reflect.ownKeys(one)).toStrictEqual([]);
  });

  it("keeps concurrent requests apart", async () => {
    const { handler, ours, statuses } = setUp();
    handler.mockImplementation(async (event) => {
      await new Promise((resolve) => setImmediate(resolve));
      const { headers } = event as ReturnType<typeof post>;
      if (headers["Idempotency-Key"] === "k-2") throw stop;
      return headers["Idempotency-Key"];
    });
    const call = middy(handler).use(ours);
    const answers = await Promise.allSettled(["k-1", "k-2", "k-3"].map((key) => call(post(key), lambdaContext())));
    expect(answers).toMatchObject([{ value: "k-1" }, { reason: stop }, { value: "k-3" }]);
    expect(statuses()).toStrictEqual(["COMPLETED", "COMPLETED"]);
  });

  it("takes a concurrent request for one of its own, also where a test shares one context between its calls", async () => {
    const { handler, ours } = setUp();
    let open: (value: unknown) => void = () => {};
    handler.mockImplementationOnce(() => new Promise((resolve) => (open = resolve)));
    const call = middy(handler).use(ours);
    const context = lambdaContext();
    const first = call(post("k-1"), context);
    await vi.waitFor(() => expect(handler).toHaveBeenCalled());
    await expect(call(post("k-1"), context)).rejects.toMatchObject({ code: "in_progress" });
    open(done);
    expect(await first).toStrictEqual(done);
  });

  it("puts the claim at context.claim, held or not", async () => {
    const { store, handler, ours } = setUp();
    const context = lambdaContext();
    await middy(handler).use(ours)(post("k-1"), context);
    const claim = handler.mock.calls[0]?.[1].claim;
    expect(claim).toMatchObject({ held: true, attempt: 1, id: store.records()[0]?.id });
    expect(claim?.signal).toBeInstanceOf(AbortSignal);
    expect(Object.keys(claim ?? {})).not.toContain("returned");
    const free = idempotency({ store, operation: "free", key: "nothing", whenKeyMissing: "run" });
    await middy(handler).use(free)(post("k-1"), lambdaContext());
    expect(handler.mock.calls[1]?.[1].claim).toMatchObject({ held: false, attempt: 1, id: undefined });
  });

  it("takes the whole event for the key, also where a test shares one context between its calls", async () => {
    const { store, handler } = setUp();
    const call = middy(handler).use(idempotency({ store, operation: "whole" }));
    const context = {};
    await call({ ...post("k-1") }, context);
    expect(await call({ ...post("k-1") }, context)).toStrictEqual(done);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("refuses wrong options when it is made", () => {
    expect(() => idempotency({ store: testingStore(), operation: "x", whenCompleted: "ignore" as never })).toThrow(
      expect.objectContaining({ code: "config", message: "whenCompleted is 'ignore'; allowed are 'replay', 'reject'" }),
    );
  });
});

const within = <T>(answer: Promise<T>): Promise<T | "no answer"> =>
  Promise.race([answer, new Promise<"no answer">((resolve) => setTimeout(resolve, 2_500, "no answer"))]);

// Seen by a reviewer: it waited until Lambda killed the function.
describe("an error that comes after the claim has ended does not wait for a step", () => {
  it.each(MIDDIES)("of another hook of %s", async (_, middy) => {
    const stop = new Error("another hook failed");
    const call = middy(async (_event: unknown, context: { claim: CurrentClaim }) => {
      context.claim.step("audit", () => new Promise<never>(() => undefined)).catch(() => undefined);
      return { statusCode: 201 };
    })
      .after(() => {
        throw stop;
      })
      .use(idempotency({ store: testingStore(), operation: "orders", key: 'headers."Idempotency-Key"' }));
    const ended = await within(
      call(post("k"), lambdaContext({ remaining: { seconds: 1 } })).catch((error: unknown) => error),
    );
    expect(ended).toBe(stop);
  });
});

// Seen by a reviewer: nothing was stored, and it ran again after the lock.
it.each(MIDDIES)(
  "what the handler answered is stored where another hook has failed and http-error-handler has hidden it: %s",
  async (_, middy) => {
    const store = testingStore();
    let ran = 0;
    const call = middy(async () => ({ statusCode: 201, body: String(++ran) }))
      .use(idempotency({ store, operation: "orders", key: 'headers."Idempotency-Key"' }))
      .use(httpErrorHandler({ logger: false }))
      .after(() => {
        throw new Error("another hook failed");
      });
    await call(post("k"), lambdaContext()).catch(() => undefined);
    store.advance({ minutes: 5 });
    await call(post("k"), lambdaContext()).catch(() => undefined);
    expect(ran).toBe(1);
  },
);
