import { createReadStream } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { idempotent, memoryStore } from "../../src/index.ts";
import { lambdaContext } from "../../src/testing.ts";

const order = { id: "o-1", amount: 5 };
const config = expect.objectContaining({ name: "IdempotencyConfigError", code: "config", statusCode: 500 });

describe("the default key", () => {
  const options = () => ({ store: memoryStore(), operation: "place" });
  const count = () => vi.fn(async (..._args: unknown[]) => "done");
  const wrap = (fn: ReturnType<typeof count>) =>
    idempotent(fn, options() as never) as unknown as (...args: unknown[]) => Promise<unknown>;

  it("tells arguments apart that differ in __proto__ alone (P13)", async () => {
    const fn = count();
    const place = wrap(fn);
    for (const text of ['{"a":1}', '{"a":1,"__proto__":{"b":1}}', '{"a":1,"__proto__":{"b":2}}'])
      await place(JSON.parse(text));
    expect(fn).toHaveBeenCalledTimes(3);
  });

  it("is the whole first argument, whatever the order of its names (P12)", async () => {
    const fn = count();
    const place = wrap(fn);
    await place({ a: 1, b: [{ A: 1, a: 2 }] });
    await place({ b: [{ a: 2, A: 1 }], a: 1 });
    await place({ b: [{ a: 1, A: 2 }], a: 1 });
    expect(fn).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["a Lambda context", [lambdaContext()]],
    ["a context with a name alone", [{ functionName: "shop" }]],
    ["an empty context, as tests have it", [{}]],
    ["an undefined context", [undefined]],
    ["a context and Lambda's callback", [lambdaContext(), () => {}]],
    ["a context and Middy's signal", [lambdaContext(), { signal: new AbortController().signal }]],
  ])("takes no notice of %s", async (_, rest) => {
    const fn = count();
    const place = wrap(fn);
    await place(order, ...rest);
    await place(order);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it.each([
    ["a second argument", ["EUR"]],
    ["a second argument that is an object", [{ currency: "EUR" }]],
    ["null", [null]],
    ["a third argument after an undefined one", [undefined, "EUR"]],
    ["a third argument after a context", [lambdaContext(), { currency: "EUR" }]],
  ])("is not clear with %s: a config error at the call, and nothing runs", async (_, rest) => {
    const fn = count();
    await expect(wrap(fn)(order, ...rest)).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("key is not given"),
    });
    expect(fn).not.toHaveBeenCalled();
  });

  it.each([
    ["an API Gateway event", { requestContext: { requestId: "1" }, body: "{}" }, "requestContext"],
    ["an SQS event", { Records: [{ messageId: "1" }] }, "Records"],
  ])(
    "refuses %s, which is never equal twice: nothing runs (bad input: a raw API Gateway or SQS event with neither key nor binding)",
    async (_, event, has) => {
      const fn = count();
      await expect(wrap(fn)(event, lambdaContext())).rejects.toMatchObject({
        code: "config",
        message: expect.stringContaining(has),
      });
      expect(fn).not.toHaveBeenCalled();
      const keyed = idempotent(fn, { ...options(), key: "Records[0].messageId || requestContext.requestId" });
      expect(await keyed(event)).toBe("done");
    },
  );

  it.each([undefined, null, ""])("is missing where the first argument is %j", async (argument) => {
    const fn = count();
    await expect(wrap(fn)(argument)).rejects.toMatchObject({ code: "key_missing" });
    expect(fn).not.toHaveBeenCalled();
  });
});

describe("handlers that do not give their result back", () => {
  const options = { store: memoryStore(), operation: "stream", key: "id" };
  const call = (fn: unknown, ...args: unknown[]): Promise<unknown> =>
    (idempotent(fn as never, options as never) as unknown as (...args: unknown[]) => Promise<unknown>)(...args);

  it("are refused at once when they are marked as streaming", () => {
    const fn = Object.assign(async () => {}, { [Symbol.for("aws.lambda.runtime.handler.streaming")]: "response" });
    expect(() => idempotent(fn as never, options as never)).toThrow(config);
  });

  it.each([
    ["a response stream", [{ id: 1 }, createReadStream("/dev/null"), lambdaContext()], "streams its response"],
    ["a callback", [{ id: 1 }, lambdaContext(), () => {}], "takes a callback"],
    [
      "a durable execution's context",
      [{ id: 1 }, { lambdaContext: lambdaContext(), step: () => {} }],
      "durable execution",
    ],
  ])("are refused at the call with %s", async (_, args, message) => {
    const ran = vi.fn();
    await expect(
      call(async (_event: unknown, _context: unknown, _callback: unknown) => ran(), ...args),
    ).rejects.toMatchObject({ code: "config", message: expect.stringContaining(message) });
    expect(ran).not.toHaveBeenCalled();
  });

  it("are not what business functions with a stream or a callback of their own are", async () => {
    expect(await call(async (_a: unknown, _b: unknown) => "piped", { id: "a" }, { pipe: () => {} })).toBe("piped");
    expect(
      await call(
        async (_a: unknown, _b: unknown, _c: unknown) => "told",
        { id: "b" },
        { currency: "EUR" },
        () => {},
      ),
    ).toBe("told");
  });
});
