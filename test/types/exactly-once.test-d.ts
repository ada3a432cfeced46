/** Checked by the compiler alone: `tsc -p test`. */
import type { TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { type CurrentClaim, idempotent, memoryStore, type Options } from "lambda-once";
import { idempotency } from "lambda-once/middy";
import { memoryTables } from "lambda-once/testing";
import { putUnique, table } from "lambda-once/writes";
import { expectTypeOf } from "vitest";

declare const claim: CurrentClaim;
const store = memoryStore({ tables: memoryTables({ orders: { key: ["id"] }, audit: { key: ["tenant", "at"] } }) });

// The items of lib-dynamodb's TransactWriteCommand are writes.
declare const input: TransactWriteCommandInput;
claim.write(...(input.TransactItems ?? []));
await claim.commit(input.TransactItems ?? []);
claim.write(
  { Put: { TableName: "orders", Item: { id: "o-1", total: 5, tags: new Set(["a"]), big: 1n, at: undefined } } },
  { Delete: { TableName: "orders", Key: { id: "o-2" }, ConditionExpression: "attribute_exists(id)" } },
  { ConditionCheck: { TableName: "orders", Key: { id: "o-3" }, ConditionExpression: "attribute_exists(id)" } },
);
// @ts-expect-error a write is no list of writes
claim.write([{ Put: { TableName: "orders", Item: {} } }]);
// @ts-expect-error a Put has an item
claim.write({ Put: { TableName: "orders" } });
// @ts-expect-error a ConditionCheck has a condition
claim.write({ ConditionCheck: { TableName: "orders", Key: { id: "o-1" } } });
// @ts-expect-error there is no such action
claim.write({ Get: { TableName: "orders", Key: { id: "o-1" } } });

// The outcomes are a tuple, one for each write.
interface Order {
  readonly id: string;
  readonly number: string;
}
const orders = table<Order>()({ name: "orders", key: ["id"] });
const put = { Put: { TableName: "audit", Item: { tenant: "t", at: 1 } } };
const unique = putUnique({ table: orders, item: { id: "o-1", number: "A-1" }, unique: ["number"] });
const { committed, outcomes } = await claim.commit([unique, put], { result: { ok: true } });
expectTypeOf(committed).toEqualTypeOf<boolean>();
expectTypeOf(outcomes.length).toEqualTypeOf<2>();
expectTypeOf(outcomes[1].outcome).toEqualTypeOf<"written" | "refused" | "cancelled">();
if (outcomes[1].outcome === "refused") {
  // biome-ignore lint/suspicious/noExplicitAny: native items are typed so
  expectTypeOf(outcomes[1].item).toEqualTypeOf<Record<string, any> | undefined>();
}
if (outcomes[0].outcome === "duplicate") expectTypeOf(outcomes[0].outcome).toEqualTypeOf<"duplicate">();
// @ts-expect-error the tuple ends
outcomes[2];
// @ts-expect-error a result that cannot be stored
await claim.commit([put], { result: { at: new Date() } });
// @ts-expect-error the result stands in an object
await claim.commit([put], { ok: true });

// A step's result is inferred, with or without a promise.
expectTypeOf(claim.step("a", async () => ({ id: "ch_1" }))).toEqualTypeOf<Promise<{ id: string }>>();
expectTypeOf(claim.step("a", () => 5)).toEqualTypeOf<Promise<number>>();
expectTypeOf(claim.step("a", async () => {})).toEqualTypeOf<Promise<void>>();
await claim.step("a", async ({ idempotencyKey, attempt, signal }) => {
  expectTypeOf(idempotencyKey).toEqualTypeOf<string>();
  expectTypeOf(attempt).toEqualTypeOf<number>();
  expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
});
await claim.step("a", () => 1, { once: true });
// @ts-expect-error an option that does not exist
await claim.step("a", () => 1, { retries: 3 });
// @ts-expect-error a name is a text
await claim.step(1, () => 1);
// @ts-expect-error a step has a function
await claim.step("a");
// @ts-expect-error a Date does not come back as one
await claim.step("a", () => new Date());
// @ts-expect-error nor does a Map inside of a result
await claim.step("a", async () => ({ items: new Map<string, number>() }));
expectTypeOf(claim.keyFor("a")).toEqualTypeOf<string>();

// The options of waiting and of the commit that claims.
const fn = async (order: Order): Promise<string> => order.id;
idempotent(fn, { store, claimAt: "commit" });
idempotent(fn, { store, whenInProgress: "wait" });
idempotent(fn, { store, whenInProgress: { wait: { seconds: 5 } } });
idempotency<Order, string>({ store, whenInProgress: "wait", claimAt: "start" });
// @ts-expect-error a literal of the option
idempotent(fn, { store, claimAt: "end" });
// @ts-expect-error a duration is an object
idempotent(fn, { store, whenInProgress: { wait: 5 } });
expectTypeOf<Options<[Order], string>["claimAt"]>().toEqualTypeOf<"start" | "commit" | undefined>();
