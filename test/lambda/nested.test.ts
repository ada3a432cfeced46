import { describe, expect, it } from "vitest";
import { currentClaim, idempotent } from "../../src/index.ts";
import { memoryTables, testingStore } from "../../src/testing.ts";

const order = { id: "o-1" };
const put = (id: string) => ({ Put: { TableName: "orders", Item: { id } } });
const codeOf = (call: Promise<unknown>) => call.then(String, (error: { code?: unknown }) => error.code);

function setUp() {
  const tables = memoryTables({ orders: { key: ["id"] } });
  return { tables, store: testingStore({ tables }) };
}

describe("an operation inside another one", () => {
  it("has a claim, steps and writes of its own", async () => {
    const { store, tables } = setUp();
    const inner = idempotent(
      async ({ id }: { id: string }) => {
        currentClaim().write(put(`inner ${id}`));
        return currentClaim().step("a", () => "inner");
      },
      { store, operation: "inner", key: "id" },
    );
    const outer = idempotent(
      async ({ id }: { id: string }) => {
        const outside = currentClaim();
        outside.write(put(`outer ${id}`));
        const result = await inner({ id });
        expect(currentClaim()).toBe(outside);
        expect(tables.items("orders")).toStrictEqual([{ id: `inner ${id}` }]);
        return [result, await outside.step("a", () => "outer")];
      },
      { store, operation: "outer", key: "id" },
    );
    expect(await outer(order)).toStrictEqual(["inner", "outer"]);
    expect(tables.items("orders")).toStrictEqual([{ id: "inner o-1" }, { id: "outer o-1" }]);
  });

  it("may write inside a step of the outer one, into its own commit", async () => {
    const { store, tables } = setUp();
    const inner = idempotent(
      async ({ id }: { id: string }) => {
        currentClaim().write(put(id));
        return "inner";
      },
      { store, operation: "inner", key: "id" },
    );
    const outer = idempotent(async (one: { id: string }) => currentClaim().step("inner", () => inner(one)), {
      store,
      operation: "outer",
      key: "id",
    });
    expect(await outer(order)).toBe("inner");
    expect(tables.items("orders")).toStrictEqual([{ id: "o-1" }]);
  });

  it("may not write into the outer one's commit from within its step", async () => {
    const { store, tables } = setUp();
    const inner = idempotent(async (_: { id: string }, write: () => void) => write(), {
      store,
      operation: "inner",
      key: "id",
    });
    const outer = idempotent(
      async (one: { id: string }) => {
        const claim = currentClaim();
        return claim.step("inner", async () => codeOf(inner(one, () => claim.write(put("lost")))));
      },
      { store, operation: "outer", key: "id" },
    );
    expect(await outer(order)).toBe("config");
    expect(tables.items("orders")).toStrictEqual([]);
  });

  it.each(["reject", "wait"] as const)(
    "with the same key is a typed error at once, also in a step (%s)",
    async (whenInProgress) => {
      const { store } = setUp();
      const codes: unknown[] = [];
      const place: (one: { id: string }) => Promise<string> = idempotent(
        async (one: { id: string }): Promise<string> => {
          codes.push(await codeOf(place(one)));
          await currentClaim().step("again", async () => {
            codes.push(await codeOf(place(one)));
            return 1;
          });
          await Promise.all([1, 2].map(async () => codes.push(await codeOf(place(one)))));
          return "done";
        },
        { store, operation: "place", key: "id", whenInProgress },
      );
      expect(await place(order)).toBe("done");
      expect(codes).toStrictEqual(["reentrant", "reentrant", "reentrant", "reentrant"]);
      expect(await place(order)).toBe("done");
    },
  );

  it("with the same key, claimed at the commit, is a typed error too", async () => {
    const { store } = setUp();
    const place: (one: { id: string }) => Promise<string> = idempotent(
      async (one: { id: string }): Promise<string> => codeOf(place(one)) as Promise<string>,
      { store, operation: "place", key: "id", claimAt: "commit" },
    );
    expect(await place(order)).toBe("reentrant");
  });
});
