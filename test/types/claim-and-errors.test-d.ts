/** Checked by the compiler alone: `tsc -p test`. */
import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import {
  type CurrentClaim,
  type IdempotencyError,
  type IdempotencyEvent,
  type IdempotencyInProgressError,
  type IdempotencyKeyMissingError,
  type IdempotencyStoreError,
  idempotent,
  isIdempotencyError,
  memoryStore,
} from "lambda-once";
import { idempotency, type WithClaim } from "lambda-once/middy";
import { lambdaContext, testingStore } from "lambda-once/testing";
import { expectTypeOf } from "vitest";

interface Order {
  readonly id: string;
}
const store = memoryStore();

// isIdempotencyError narrows to the union, and the code to one of its members.
declare const error: unknown;
if (isIdempotencyError(error)) {
  expectTypeOf(error).toEqualTypeOf<IdempotencyError>();
  if (error.code === "in_progress") {
    expectTypeOf(error).toEqualTypeOf<IdempotencyInProgressError>();
    expectTypeOf(error.retryAfter).toEqualTypeOf<number>();
  }
  if (error.code === "key_missing") {
    expectTypeOf(error).toEqualTypeOf<IdempotencyKeyMissingError>();
    expectTypeOf(error.reason).toEqualTypeOf<"missing" | "unreadable">();
  }
  if (error.code === "store_failed") expectTypeOf(error).toEqualTypeOf<IdempotencyStoreError>();
  if (error.code === "result_unstorable") expectTypeOf(error.path).toEqualTypeOf<string>();
  // @ts-expect-error there is no such code
  if (error.code === "too_late") throw error;
}
expectTypeOf<IdempotencyError["statusCode"]>().toEqualTypeOf<400 | 401 | 403 | 409 | 412 | 422 | 428 | 500 | 503>();
expectTypeOf<IdempotencyError["expose"]>().toEqualTypeOf<true>();
expectTypeOf<IdempotencyError["headers"]>().toEqualTypeOf<Readonly<Record<string, string>>>();
expectTypeOf<IdempotencyError["code"]>().toEqualTypeOf<
  | "in_progress"
  | "duplicate"
  | "key_reused"
  | "key_missing"
  | "principal_missing"
  | "forbidden"
  | "request_too_old"
  | "token_invalid"
  | "precondition_required"
  | "signature_invalid"
  | "claim_lost"
  | "abandoned"
  | "store_failed"
  | "write_conflict"
  | "step_interrupted"
  | "result_unstorable"
  | "record_corrupt"
  | "outcome_unknown"
  | "no_time_left"
  | "reentrant"
  | "config"
>();

// The middleware's handler finds its claim in its context.
const handler = middy(async (event: Order, context: WithClaim<Context>) => {
  expectTypeOf(context.claim).toEqualTypeOf<CurrentClaim>();
  expectTypeOf(context.awsRequestId).toEqualTypeOf<string>();
  return { placed: event.id };
}).use(idempotency({ store, operation: "place", key: "id" }));
expectTypeOf(handler).toBeFunction();
idempotency({ store });
idempotency({
  store,
  key: (event: Order, context) => [event.id, context.functionName],
  remember: (outcome: { status: "returned"; result: { statusCode: number } } | { status: "threw"; error: unknown }) =>
    outcome.status === "returned" && outcome.result.statusCode < 500 ? "keep" : "release",
});
// @ts-expect-error a claim is only to be looked at
expectTypeOf<WithClaim<Context>["claim"]["returned"]>();
// @ts-expect-error a literal of the option
idempotency({ store, whenCompleted: "ignore" });
// @ts-expect-error an option that does not exist
idempotency({ store, ttl: 60 });

// A wrapped function is a handler for Middy.
middy(
  idempotent(async (_: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => ({ statusCode: 200 }), {
    store,
    key: "body",
  }),
);

// The observer's events are told apart by their type.
idempotent(async (order: Order) => order.id, {
  store,
  observe: (event) => {
    expectTypeOf(event).toEqualTypeOf<IdempotencyEvent>();
    if (event.type === "claimed") expectTypeOf(event.takeover).toEqualTypeOf<boolean>();
    if (event.type === "held") expectTypeOf(event.reason).toEqualTypeOf<string>();
  },
});

// What users test with.
const context: Context = lambdaContext();
expectTypeOf(context).toEqualTypeOf<Context>();
testingStore().failNext("complete", { reason: "throttled", responseLost: true });
// @ts-expect-error there is no such turn
testingStore().failNext("finish");
