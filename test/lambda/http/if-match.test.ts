import { currentClaim, idempotent, memoryStore } from "lambda-once";
import { http } from "lambda-once/http";
import { memoryTables } from "lambda-once/testing";
import { putIfVersion, table } from "lambda-once/writes";
import { describe, expect, it, vi } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";

interface Item {
  readonly id: string;
  readonly amount: number;
  readonly version: number;
}

const items = table<Item>()({ name: "items", key: ["id"], version: "version" });

/** An operation that replaces an item at the version of `If-Match`, and its tables. */
function changing(method: string, ifMatch: string | undefined, methods: readonly string[]) {
  const tables = memoryTables({ items: { key: ["id"] } });
  tables.put("items", { id: "i-1", amount: 1, version: 3 });
  const fn = vi.fn(async (_event: object) => {
    currentClaim().write(putIfVersion({ table: items, item: { id: "i-1", amount: 2 }, version: Number(ifMatch) }));
    return { statusCode: 200, body: "changed" };
  });
  const call = idempotent(fn, {
    store: memoryStore({ tables }),
    operation: "change-item",
    binding: http({ principal: false, methods, ifMatch: "required" }),
  });
  const event = readEvent("api-gateway-http");
  event.requestContext.http.method = method;
  event.headers = { ...event.headers, ...(ifMatch !== undefined && { "if-match": ifMatch }) };
  return { fn, tables, answer: () => call(event) as Promise<{ statusCode: number; body: string }> };
}

describe.each([
  ["claimed", ["PUT"]],
  ["not claimed", ["POST"]],
])("a PUT that is %s, where If-Match is required", (_, methods) => {
  it("is answered 428 without it, and nothing runs", async () => {
    const { fn, answer } = changing("PUT", undefined, methods);
    const { statusCode, body } = await answer();
    expect([statusCode, JSON.parse(body).code]).toStrictEqual([428, "precondition_required"]);
    expect(fn).not.toHaveBeenCalled();
  });

  it("changes the version that was read", async () => {
    const { tables, answer } = changing("PUT", "3", methods);
    expect((await answer()).statusCode).toBe(200);
    expect(tables.get("items", { id: "i-1" })).toMatchObject({ amount: 2, version: 4 });
  });

  it("is answered 412 for a version that is stale, and changes nothing", async () => {
    const { tables, answer } = changing("PUT", "2", methods);
    const { statusCode, body } = await answer();
    expect([statusCode, JSON.parse(body).code]).toStrictEqual([412, "write_conflict"]);
    expect(tables.get("items", { id: "i-1" })).toStrictEqual({ id: "i-1", amount: 1, version: 3 });
  });

  it("needs none to be read", async () => {
    const { answer, fn } = changing("GET", undefined, methods);
    fn.mockImplementationOnce(async () => ({ statusCode: 200, body: "read" }));
    expect((await answer()).statusCode).toBe(200);
  });
});

describe("http({ ifMatch })", () => {
  it("is refused for anything but 'required'", () => {
    expect(() => http({ principal: false, ifMatch: true as never })).toThrow("ifMatch is true; allowed is 'required'");
  });
});
