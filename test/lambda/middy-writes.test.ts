import { describe, expect, it } from "vitest";
import type { CurrentClaim } from "../../src/index.ts";
import { idempotency } from "../../src/middy.ts";
import { lambdaContext, memoryTables, testingStore } from "../../src/testing.ts";
import { type HookRequest, MIDDIES, post } from "./middies.ts";

const count = (id: string) => ({
  Update: {
    TableName: "orders",
    Key: { id },
    UpdateExpression: "ADD #n :one",
    ExpressionAttributeNames: { "#n": "n" },
    ExpressionAttributeValues: { ":one": 1 },
  },
});
const done = { statusCode: 201, body: "done" };
type Handler = (event: unknown, context: { readonly claim: CurrentClaim }) => Promise<unknown>;

function setUp(options: object = {}) {
  const tables = memoryTables({ orders: { key: ["id"] } });
  const store = testingStore({ tables });
  const ours = idempotency({ store, operation: "orders", key: 'headers."Idempotency-Key"', ...options });
  return { tables, store, ours, statuses: () => store.records().map(({ status }) => status) };
}

/** A context of a Lambda that Middy believes to end in 20 ms, and that has 30 s left, or less, for the middleware. */
function endingSoon(forUs: number) {
  let asked = 0;
  return { ...lambdaContext(), getRemainingTimeInMillis: () => (asked++ === 0 ? forUs : 20) };
}

describe.each(MIDDIES)("writes in the middleware of %s", (_, middy) => {
  it("are carried out before the after hooks of others run", async () => {
    const { tables, ours } = setUp();
    const seen: unknown[] = [];
    const handler: Handler = async (_, { claim }) => {
      claim.write(count("o-1"));
      return done;
    };
    const call = middy(handler)
      .after(() => void seen.push(tables.items("orders").length))
      .use(ours);
    await call(post("k-1"), lambdaContext());
    expect(seen).toStrictEqual([1]);
  });

  it("are not carried out where a hook before ours or the handler fails, and the key is free", async () => {
    const { tables, ours, statuses } = setUp();
    const handler: Handler = async (_, { claim }) => {
      claim.write(count("o-1"));
      throw new Error("declined");
    };
    await expect(middy(handler).use(ours)(post("k-1"), lambdaContext())).rejects.toThrow("declined");
    expect([tables.items("orders").length, statuses().length]).toStrictEqual([0, 0]);
  });

  it("stand where a hook of others fails afterwards", async () => {
    const { tables, ours, statuses } = setUp();
    const handler: Handler = async (_, { claim }) => {
      claim.write(count("o-1"));
      return done;
    };
    const call = middy(handler)
      .after(() => {
        throw new Error("another hook");
      })
      .use(ours);
    await expect(call(post("k-1"), lambdaContext())).rejects.toThrow("another hook");
    expect(tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
    expect(statuses()).toStrictEqual(["COMPLETED"]);
  });

  it("that are refused are an error that onError hooks see", async () => {
    const { tables, ours } = setUp();
    tables.put("orders", { id: "o-1" });
    const handler: Handler = async (_, { claim }) => {
      claim.write({
        Put: { TableName: "orders", Item: { id: "o-1" }, ConditionExpression: "attribute_not_exists(id)" },
      });
      return done;
    };
    const seen: unknown[] = [];
    const call = middy(handler)
      .onError(({ error }: HookRequest) => void seen.push((error as { code?: unknown }).code))
      .use(ours);
    await expect(call(post("k-1"), lambdaContext())).rejects.toMatchObject({ code: "write_conflict" });
    expect(seen).toStrictEqual(["write_conflict"]);
  });

  it.each([
    ["claimed", "k-1", {}],
    ["not claimed", undefined, { whenKeyMissing: "run" }],
  ])("of a handler that still runs when Middy answers early are not carried out (%s)", async (_, key, options) => {
    const { tables, ours } = setUp({ deadlineMargin: { seconds: 0.5 }, ...options });
    let open: () => void = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const handler: Handler = async (_, { claim }) => {
      claim.write(count("o-1"));
      await opened;
      return done;
    };
    const early = { statusCode: 504 };
    const call = middy(handler, { timeoutEarlyInMillis: 5, timeoutEarlyResponse: () => early }).use(ours);
    expect(await call(post(key), endingSoon(510))).toStrictEqual(early);
    open();
    await opened;
    expect(tables.items("orders")).toStrictEqual([]);
  });
});
