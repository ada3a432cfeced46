import { describe, expect, it, vi } from "vitest";
import { dynamoDBStore } from "../../src/dynamodb.ts";
import { idempotent } from "../../src/index.ts";
import { idempotency } from "../../src/middy.ts";
import { lambdaContext } from "../../src/testing.ts";
import { MIDDIES } from "./middies.ts";

type Order = { readonly id: string };
type Handler = (event: Order, context: unknown) => Promise<unknown>;

const FRONT_ENDS: readonly (readonly [string, (fn: Handler, options: object) => Handler])[] = [
  ["the wrapper", (fn, options) => idempotent(fn, options as never) as unknown as Handler],
  ...MIDDIES.map(([name, middy]): [string, (fn: Handler, options: object) => Handler] => [
    `the middleware of ${name}`,
    (fn, options) => middy(fn as never).use(idempotency(options as never)) as unknown as Handler,
  ]),
];

const refusal = (name: string): Error =>
  Object.assign(new Error("arn:aws:sts::123456789012:assumed-role/orders is not authorized"), { name, $metadata: {} });

describe.each(FRONT_ENDS)(
  "a table that cannot be used (bad input: does not exist; no permission) under %s",
  (_, make) => {
    it.each([
      ["does not exist", "ResourceNotFoundException", "missing_table", "orders-table"],
      ["may not be written", "AccessDeniedException", "access_denied", "dynamodb:PutItem"],
    ])("and that %s is a typed error that names what is missing, and nothing runs", async (__, name, reason, named) => {
      const client = { send: vi.fn(async () => Promise.reject(refusal(name))) };
      const store = dynamoDBStore({ client, tableName: "orders-table" });
      const fn = vi.fn(async () => "done");
      const error = await make(fn, { store, operation: "place", key: "id" })({ id: "o-1" }, lambdaContext()).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        name: "IdempotencyStoreError",
        code: "store_failed",
        reason,
        retryable: false,
        table: "orders-table",
        action: "dynamodb:PutItem",
        message: expect.stringContaining(named),
      });
      expect(String(error)).not.toContain("123456789012");
      expect(fn).not.toHaveBeenCalled();
    });
  },
);
