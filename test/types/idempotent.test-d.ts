/** Checked by the compiler alone: `tsc -p test`. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context, Handler, SQSEvent } from "aws-lambda";
import {
  type CallOutcome,
  type CurrentClaim,
  currentClaim,
  type Idempotent,
  idempotent,
  memoryStore,
} from "lambda-once";
import { expectTypeOf } from "vitest";

interface Order {
  readonly id: string;
  readonly amount: number;
}
interface Receipt {
  readonly orderId: string;
  readonly note?: string;
}
interface Audit {
  readonly by: string;
}
const store = memoryStore();
const place = async (order: Order): Promise<Receipt> => ({ orderId: order.id });
const transfer = async (from: string, to: string, amount: number): Promise<Receipt> => ({
  orderId: `${from}${to}${amount}`,
});
const handle = async (event: Order, _context: Context): Promise<Receipt> => place(event);

// Arguments and results are those of the function.
const wrapped = idempotent(place, { store, operation: "place" });
expectTypeOf(wrapped).toEqualTypeOf<Idempotent<[order: Order], Receipt>>();
expectTypeOf(wrapped).parameters.toEqualTypeOf<[order: Order]>();
expectTypeOf(wrapped).returns.toEqualTypeOf<Promise<Receipt>>();
expectTypeOf(wrapped.outcome).returns.toEqualTypeOf<Promise<CallOutcome<Receipt>>>();
expectTypeOf(wrapped.unwrapped).toEqualTypeOf<(order: Order) => Promise<Receipt>>();
expectTypeOf<CallOutcome<Receipt>["status"]>().toEqualTypeOf<"executed" | "replayed">();
// @ts-expect-error an order lacks its amount
void wrapped({ id: "o-1" });
// @ts-expect-error one argument, not two
void wrapped({ id: "o-1", amount: 5 }, "EUR");

const inline = idempotent(async (order: Order, tags: readonly string[]) => ({ ...order, tags }), { store, key: "id" });
expectTypeOf(inline).toEqualTypeOf<
  Idempotent<[order: Order, tags: readonly string[]], { tags: readonly string[]; id: string; amount: number }>
>();
const nothing = idempotent(async (_: Order) => {}, { store });
expectTypeOf(nothing).returns.toEqualTypeOf<Promise<void>>();
const maybe = idempotent(async (order: Order) => (order.amount > 5 ? order.id : undefined), { store });
expectTypeOf(maybe).returns.toEqualTypeOf<Promise<string | undefined>>();
const flag = idempotent(async (order: Order): Promise<boolean> => order.amount > 5, { store });
expectTypeOf(flag).returns.toEqualTypeOf<Promise<boolean>>();
const fails = idempotent(async (_: Order): Promise<never> => Promise.reject(new Error("no")), { store });
expectTypeOf(fails).returns.toEqualTypeOf<Promise<never>>();
const rest = idempotent(async (order: Order, ...notes: string[]) => notes.length + order.amount, {
  store,
  key: (order) => order.id,
});
expectTypeOf(rest).parameters.toEqualTypeOf<[order: Order, ...notes: string[]]>();

// The key may be left out for f(x) and handler(event, context), and nowhere else.
idempotent(place, { store });
idempotent(async (_?: Order) => 1, { store });
idempotent(handle, { store });
idempotent(transfer, { store, key: (from, to, amount) => [from, to, amount] });
idempotent(transfer, { store, binding: { name: "transfers", identify: (from, to) => ({ key: [from, to] }) } });
// @ts-expect-error which of the three is the key?
idempotent(transfer, { store });
// @ts-expect-error a key that may be undefined is none
idempotent(transfer, { store, key: undefined });
// @ts-expect-error the second argument may tell two calls apart
idempotent(async (_order: Order, _currency: string) => 1, { store });
// @ts-expect-error also where it is optional
idempotent(async (_order: Order, _currency?: string) => 1, { store });
// @ts-expect-error also where it is an object without anything of a context
idempotent(async (_order: Order, _audit: Audit) => 1, { store });
// @ts-expect-error also where there may be any number
idempotent(async (..._orders: Order[]) => 1, { store });
// @ts-expect-error without arguments every call would be the same
idempotent(async () => 1, { store });
// @ts-expect-error the third argument of a handler is Lambda's callback
idempotent(async (_event: Order, _context: Context, _more: string) => 1, { store });

// The functions among the options get the function's parameters and result.
idempotent(transfer, {
  store,
  key: (from, to, amount) => {
    expectTypeOf(from).toEqualTypeOf<string>();
    expectTypeOf(to).toEqualTypeOf<string>();
    expectTypeOf(amount).toEqualTypeOf<number>();
    return [from, to];
  },
  principal: (from) => {
    expectTypeOf(from).toEqualTypeOf<string>();
    return from;
  },
  fingerprint: (_, __, amount) => {
    expectTypeOf(amount).toEqualTypeOf<number>();
    return amount;
  },
  remember: (outcome, { attempt, steps }) => {
    expectTypeOf(attempt).toEqualTypeOf<number>();
    expectTypeOf(steps).toEqualTypeOf<readonly string[]>();
    if (outcome.status === "threw") {
      expectTypeOf(outcome.error).toEqualTypeOf<unknown>();
      return "release";
    }
    expectTypeOf(outcome.result).toEqualTypeOf<Receipt>();
    return "keep";
  },
  binding: {
    name: "transfers",
    identify: (from) => {
      expectTypeOf(from).toEqualTypeOf<string>();
      return { key: from };
    },
    replay: (result, from) => {
      expectTypeOf(result).toEqualTypeOf<Receipt>();
      expectTypeOf(from).toEqualTypeOf<string>();
      return result;
    },
    refuse: ({ code }, from) => {
      expectTypeOf(from).toEqualTypeOf<string>();
      return { orderId: code };
    },
  },
});
// @ts-expect-error an order has no number
idempotent(place, { store, key: (order) => order.number });

// Options have literal values, and unknown ones are refused.
idempotent(place, {
  store,
  whenCompleted: "replay",
  whenKeyMissing: "run",
  whenAbandoned: "rerun",
  lookup: "auto",
  cache: false,
});
idempotent(place, {
  store,
  whenCompleted: "reject",
  whenKeyMissing: "reject",
  whenAbandoned: "reject",
  lookup: "first",
  principal: false,
});
idempotent(place, {
  store,
  expiresAfter: { days: 1, hours: 2, minutes: 3, seconds: 4 },
  lockFor: { minutes: 1 },
  secret: ["s", new Uint8Array(32)],
});
// @ts-expect-error
idempotent(place, { store, whenCompleted: "ignore" });
// @ts-expect-error
idempotent(place, { store, whenKeyMissing: "skip" });
// @ts-expect-error
idempotent(place, { store, whenAbandoned: true });
// @ts-expect-error
idempotent(place, { store, lookup: "last" });
// @ts-expect-error
idempotent(place, { store, expiresAfter: "1h" });
// @ts-expect-error
idempotent(place, { store, expiresAfter: { weeks: 1 } });
// @ts-expect-error
idempotent(place, { store, secret: [] });
// @ts-expect-error
idempotent(place, { store, remember: () => "maybe" });
// @ts-expect-error
idempotent(place, { store, ttl: 60 });
// @ts-expect-error a store is needed
idempotent(place, { operation: "place" });

// Lambda handlers.
const handler: Handler<Order, Receipt> = idempotent(handle, { store });
const fromOne: Handler<Order, Receipt> = idempotent(place, { store });
const proxy: Handler<APIGatewayProxyEvent, APIGatewayProxyResult> = idempotent(
  async (_: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => ({ statusCode: 200, body: "" }),
  {
    store,
    key: "json(body).orderId",
  },
);
const queue: Handler<SQSEvent, void> = idempotent(async (_: SQSEvent, __: Context) => {}, {
  store,
  key: "Records[0].messageId",
});
expectTypeOf([handler, fromOne, proxy, queue]).toBeArray();
declare const typed: Handler<Order, Receipt>;
const around = idempotent(typed, { store, operation: "place" });
expectTypeOf(around).returns.toEqualTypeOf<Promise<Receipt>>();
expectTypeOf(around).parameter(0).toEqualTypeOf<Order>();
const again: Handler<Order, Receipt> = around;
expectTypeOf(again).toEqualTypeOf<Handler<Order, Receipt>>();
declare const loose: Handler;
idempotent(loose, { store });

// The claim.
expectTypeOf(currentClaim).returns.toEqualTypeOf<CurrentClaim>();
expectTypeOf<CurrentClaim["signal"]>().toEqualTypeOf<AbortSignal>();
expectTypeOf<CurrentClaim["id"]>().toEqualTypeOf<string | undefined>();
