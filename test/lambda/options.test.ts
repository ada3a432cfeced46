import { afterEach, describe, expect, it, vi } from "vitest";
import { memoryStore, idempotent as wrap } from "../../src/index.ts";
import { idempotency } from "../../src/middy.ts";
import { lambdaContext, testingStore } from "../../src/testing.ts";

const given = { store: memoryStore(), operation: "place", key: "id" };
const fn = async (_: { readonly id: string }) => "done";
const secret = "a secret of thirty-two bytes or more";

/** An option, a value that is wrong, and what the sentence says. */
const WRONG: readonly (readonly [string, unknown, string])[] = [
  ["store", undefined, "store is not given; allowed is dynamoDBStore(), memoryStore()"],
  ["store", "orders-table", "store is 'orders-table'; allowed is"],
  ["store", { claim() {} }, "store is an object without complete(); allowed is"],
  ["store", null, "store is null; allowed is"],
  ["store", { ...memoryStore(), clock: { credentials: "secret" } }, "store is an object without now(); allowed is"],
  ["operation", "", "operation is ''; allowed are 1 to 255 visible ASCII characters"],
  ["operation", "two words", "operation is 'two words'; allowed are"],
  ["operation", "x".repeat(256), "allowed are 1 to 255 visible ASCII characters"],
  ["operation", 7, "operation is 7; allowed are"],
  ["operation", null, "operation is null; allowed are"],
  ["binding", "http", "binding is 'http'; allowed is an object with a name and identify()"],
  ["binding", null, "binding is null; allowed is"],
  ["binding", { name: "x" }, "binding is an object without identify(); allowed is"],
  ["binding", { name: "x", identify() {}, replay: "same" }, "binding.replay is 'same'; allowed is a function"],
  ["binding", { name: "x", identify() {}, remember: true }, "binding.remember is true; allowed is a function"],
  ["key", 7, "key is 7; allowed is a JMESPath expression, a function"],
  ["key", null, "key is null; allowed is"],
  ["key", ["id"], "key is an array; allowed is"],
  ["key", "", "key is ''; allowed is a JMESPath expression"],
  ["key", "id[", "id["],
  ["key", "headers.Idempotency-Key", 'headers."Idempotency-Key"'],
  ["key", async () => "id", "key is a function that returns a promise; selectors are synchronous"],
  ["principal", true, "principal is true; allowed is a JMESPath expression, a function or false"],
  ["principal", "", "principal is ''; allowed is"],
  ["fingerprint", false, "fingerprint is false; allowed is a JMESPath expression, a function"],
  ["fingerprint", "a ||", "a ||"],
  ["expiresAfter", 0, "expiresAfter is 0; allowed is { days, hours, minutes, seconds }"],
  ["expiresAfter", -1, "expiresAfter is -1; allowed is"],
  ["expiresAfter", Number.NaN, "expiresAfter is NaN; allowed is"],
  ["expiresAfter", 3_600, "expiresAfter is 3600; allowed is"],
  ["expiresAfter", "1h", "expiresAfter is '1h'; allowed is"],
  ["expiresAfter", null, "expiresAfter is null; allowed is"],
  ["expiresAfter", {}, "expiresAfter is {}; allowed is"],
  ["expiresAfter", { hours: 0 }, "expiresAfter is { hours: 0 }; allowed is"],
  ["expiresAfter", { hours: -1 }, "expiresAfter is { hours: -1 }; allowed is"],
  ["expiresAfter", { hours: Number.NaN }, "expiresAfter is { hours: NaN }; allowed is"],
  ["expiresAfter", { hours: "1" }, "expiresAfter is { hours: '1' }; allowed is"],
  ["expiresAfter", { weeks: 1 }, "expiresAfter is { weeks: 1 }; allowed is"],
  ["expiresAfter", { days: 36_601 }, "at most 100 years"],
  ["lockFor", { minutes: -1 }, "lockFor is { minutes: -1 }; allowed is"],
  ["lockFor", null, "lockFor is null; allowed is"],
  ["lockFor", { hours: 25 }, "expiresAfter is 86400000 ms, shorter than lockFor, 90000000 ms"],
  ["lockFor", { seconds: 0.5 }, "lockFor is 500 ms, not longer than deadlineMargin, 500 ms"],
  ["lockMargin", "5s", "lockMargin is '5s'; allowed is"],
  ["deadlineMargin", null, "deadlineMargin is null; allowed is"],
  ["claimAt", "end", "claimAt is 'end'; allowed"],
  ["whenInProgress", "queue", "whenInProgress is 'queue'; allowed"],
  ["whenCompleted", "ignore", "whenCompleted is 'ignore'; allowed are 'replay', 'reject'"],
  ["whenCompleted", null, "whenCompleted is null; allowed are 'replay', 'reject'"],
  ["whenCompleted", "toString", "whenCompleted is 'toString'; allowed are"],
  ["whenKeyMissing", "skip", "whenKeyMissing is 'skip'; allowed are 'reject', 'run'"],
  ["whenAbandoned", false, "whenAbandoned is false; allowed are 'rerun', 'reject'"],
  ["remember", "keep", "remember is 'keep'; allowed is a function"],
  ["remember", null, "remember is null; allowed is a function"],
  ["codec", "json", "codec is 'json'; allowed is an object with encode() and decode()"],
  ["codec", null, "codec is null; allowed is"],
  ["codec", { encode() {} }, "codec is an object without decode(); allowed is"],
  ["observe", {}, "observe is an object; allowed is a function"],
  ["cache", true, "cache is true; allowed are false and { entries, bytes }"],
  ["cache", { entries: 10 }, "allowed are false and { entries, bytes }"],
  ["cache", { entries: 0, bytes: 10 }, "whole numbers above zero"],
  ["lookup", "last", "lookup is 'last'; allowed are 'auto', 'first', 'never'"],
  ["secret", secret, "secret is a string; allowed is [current, ...previous]"],
  ["secret", [], "secret is an empty list; allowed is"],
  ["secret", ["too short"], "secret[0] is 9 bytes long; allowed is"],
  ["secret", [secret, secret], "secret[1] is the same as an earlier one; allowed is"],
  ["ttl", 60, "there is no option 'ttl'; allowed are binding, cache, claimAt, codec"],
  ["constructor", 1, "there is no option 'constructor'"],
];

describe("an option that is wrong (bad input: unknown option; `expiresAfter` of 0, negative, NaN, `'1h'`, `{}`; shorter than a given `lockFor`; `headers.Idempotency-Key` as a key expression)", () => {
  it.each(WRONG)(
    "%s: %j is refused at construction, saying what was given and what is allowed",
    (name, value, sentence) => {
      const refused = expect.objectContaining({
        name: "IdempotencyConfigError",
        code: "config",
        message: expect.stringContaining(sentence),
      });
      const options = { ...given, [name]: value } as never;
      expect(() => wrap(fn, options)).toThrow(refused);
      expect(() => idempotency(options)).toThrow(refused);
      expect(() => wrap(options)).toThrow(refused);
    },
  );

  it.each([undefined, null, "place", 7])("is also %j in the place of all options", (options) => {
    expect(() => wrap(fn, options as never)).toThrow(
      expect.objectContaining({
        code: "config",
        message: expect.stringMatching(/^the options are .*; allowed is an object with a store$/),
      }),
    );
  });

  it.each([null, {}, "place"])("is also %j in the place of the function", (one) => {
    expect(() => wrap(one as never, given as never)).toThrow(
      expect.objectContaining({ code: "config", message: expect.stringContaining("allowed is a function") }),
    );
  });

  it("never shows a secret", () => {
    for (const wrong of [secret, [secret, secret], [secret, 7], [secret, "short"]]) {
      expect(() => wrap(fn, { ...given, secret: wrong } as never)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining("a secret of") }),
      );
    }
  });
});

describe("an option that is right", () => {
  it.each([
    { operation: "x".repeat(255) },
    { expiresAfter: { days: 1, hours: 2, minutes: 3, seconds: 4.5 } },
    { expiresAfter: { seconds: 60 }, lockFor: { seconds: 60 } },
    { principal: false },
    { cache: false, claimAt: "start", whenInProgress: "reject", lookup: "never" },
    { secret: [new Uint8Array(32), secret] },
    { whenCompleted: undefined, expiresAfter: undefined, binding: undefined, observe: undefined },
  ])("is %j", async (more) => {
    const place = wrap(fn, { ...given, store: memoryStore(), ...more } as never) as unknown as typeof fn;
    expect(await place({ id: "o-1" })).toBe("done");
    expect(await place({ id: "o-1" })).toBe("done");
  });

  it("is read once: later changes of the object change nothing", async () => {
    const store = testingStore();
    const options = { ...given, store, operation: "place" };
    const place = wrap(fn, options);
    Object.assign(options, { operation: "other", store: memoryStore(), key: "nothing" });
    await place({ id: "o-1" });
    expect(store.records()[0]?.id).toMatch(/^place#/);
  });
});

describe("an operation without a name", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });
  const fresh = async () => {
    vi.resetModules();
    return (await import("../../src/index.ts")).idempotent;
  };
  const nameless = () => ({ store: testingStore(), key: "id" });

  it("takes the Lambda's name at the first call, from the environment first", async () => {
    const idempotent = await fresh();
    const options = nameless();
    const place = idempotent(fn, options);
    vi.stubEnv("AWS_LAMBDA_FUNCTION_NAME", "shop-orders");
    await place({ id: "o-1" });
    vi.stubEnv("AWS_LAMBDA_FUNCTION_NAME", "renamed");
    await place({ id: "o-2" });
    expect(options.store.records().map(({ id }) => id.split("#")[0])).toStrictEqual(["shop-orders", "shop-orders"]);
  });

  it("takes it from the context where there is no such environment", async () => {
    const idempotent = await fresh();
    const options = nameless();
    const handler = idempotent(
      async (_: { readonly id: string }, _context: unknown) => "done",
      options as never,
    ) as unknown as (event: unknown, context: unknown) => Promise<unknown>;
    await handler({ id: "o-1" }, lambdaContext({ functionName: "from-context" }));
    expect(options.store.records()[0]?.id).toMatch(/^from-context#/);
  });

  it("is refused at the call where nothing has a name, and nothing runs", async () => {
    const idempotent = await fresh();
    const ran = vi.fn(fn);
    await expect(idempotent(ran, nameless())({ id: "o-1" })).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("give the operation a name"),
    });
    expect(ran).not.toHaveBeenCalled();
  });

  it("is refused where it is the second one, however it is made (bad input: two wrappers in one process, both without `operation`)", async () => {
    const idempotent = await fresh();
    const { idempotency: middleware } = await import("../../src/middy.ts");
    idempotent(fn, nameless());
    const second = expect.objectContaining({
      code: "config",
      message: expect.stringContaining("for the second time in this process"),
    });
    expect(() => idempotent(fn, nameless())).toThrow(second);
    expect(() => middleware(nameless())).toThrow(second);
    expect(() => idempotent(fn, { ...nameless(), operation: "named" })).not.toThrow();
  });

  it("has the method's name appended by the decorator", async () => {
    const idempotent = await fresh();
    vi.stubEnv("AWS_LAMBDA_FUNCTION_NAME", "shop");
    const options = nameless();
    class Orders {
      @idempotent(options)
      async place(_: { readonly id: string }): Promise<void> {}
    }
    await new Orders().place({ id: "o-1" });
    expect(options.store.records()[0]?.id).toMatch(/^shop\.place#/);
  });
});
