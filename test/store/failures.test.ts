import { describe, expect, it } from "vitest";
import { storeFailure } from "../../src/store/failures.ts";

const of = (error: unknown, table = "orders") => storeFailure(error, { operation: "PutItem", table });
const thrown = (name: string, more: object = {}): Error =>
  Object.assign(new Error("arn:aws:dynamodb:eu:123456789012:table/orders"), { name, ...more });

describe("the failure of a store", () => {
  it.each([
    ["ProvisionedThroughputExceededException", {}, "throttled"],
    ["ThrottlingException", {}, "throttled"],
    ["RequestLimitExceeded", {}, "throttled"],
    ["SomethingNew", { ThrottlingReasons: [{ reason: "TableWriteKeyRangeThroughputExceeded" }] }, "throttled"],
    ["SomethingNew", { $metadata: { httpStatusCode: 429 } }, "throttled"],
    ["TimeoutError", {}, "timeout"],
    ["TimeoutError", { code: "ETIMEDOUT" }, "timeout"],
    ["Error", { code: "ETIMEDOUT" }, "timeout"],
    ["AbortError", {}, "timeout"],
    ["TimeoutError", { code: "ECONNRESET" }, "unavailable"],
    ["TimeoutError", { code: "EPIPE" }, "unavailable"],
    ["Error", { code: "ECONNREFUSED" }, "unavailable"],
    ["Error", { code: "ENOTFOUND" }, "unavailable"],
    ["InternalServerError", { $metadata: { httpStatusCode: 500 } }, "unavailable"],
    ["SomethingNew", { $metadata: { httpStatusCode: 503 } }, "unavailable"],
    ["SomethingNew", {}, "unavailable"],
    ["ResourceNotFoundException", {}, "missing_table"],
    ["AccessDeniedException", {}, "access_denied"],
    ["CredentialsProviderError", {}, "credentials"],
    ["UnrecognizedClientException", {}, "credentials"],
    ["ExpiredTokenException", {}, "credentials"],
    ["ExpiredToken", {}, "credentials"],
    ["ValidationException", { $metadata: { httpStatusCode: 400 } }, "invalid_request"],
  ])("by %s %o is %s", (name, more, reason) => {
    const error = thrown(name, more);
    const failure = of(error);
    expect(failure).toMatchObject({
      code: "store_failed",
      reason,
      action: "dynamodb:PutItem",
      table: "orders",
      outcome: "known",
    });
    expect(failure.cause).toBe(error);
    expect(failure.message).not.toContain("123456789012");
    expect(failure.retryable).toBe(["throttled", "timeout", "unavailable"].includes(reason));
  });

  it("names the action that a commit lacks, and the table that it lacks it on, without the account", () => {
    const said =
      "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:eu-central-1:123456789012:table/invoices because no identity-based policy allows it";
    const error = Object.assign(new Error(said), { name: "AccessDeniedException" });
    const failure = storeFailure(error, { operation: "TransactWriteItems", table: "idempotency" });
    expect(failure.message).toBe(
      "the idempotency store failed: no permission for dynamodb:PutItem on table invoices: grant it to the function's role",
    );
  });

  it("names the actions that a commit needs where AWS does not say which one is lacking", () => {
    const failure = storeFailure(thrown("AccessDeniedException"), { operation: "TransactWriteItems", table: "orders" });
    expect(failure.message).toContain(
      "dynamodb:UpdateItem, PutItem, DeleteItem or ConditionCheckItem on table orders or one that the commit writes to",
    );
  });

  it.each([undefined, null, "text", 7, {}, { name: 1, code: {}, message: null }])(
    "by %s, which is no error, is unavailable and its cause",
    (error) => {
      expect(of(error)).toMatchObject({ reason: "unavailable" });
      expect(of(error).cause).toBe(error);
    },
  );

  it.each([
    "One or more parameter values were invalid: Missing the key pk in the item",
    "One of the required keys was not given a value",
    "The provided key element does not match the schema",
    "One or more parameter values were invalid: Type mismatch for key id expected: N actual: S",
    "The number of conditions on the keys is invalid",
  ])("by '%s' says which key the table needs", (message) => {
    expect(of(Object.assign(new Error(message), { name: "ValidationException" })).message).toContain(
      "table orders: the table's partition key must be a string named id",
    );
  });

  it("names the table of an ARN without its account", () => {
    const failure = of(thrown("AccessDeniedException"), "arn:aws:dynamodb:eu-central-1:123456789012:table/orders");
    expect(failure.message).toBe(
      "the idempotency store failed: no permission for dynamodb:PutItem on table orders: grant it to the function's role",
    );
  });
});
