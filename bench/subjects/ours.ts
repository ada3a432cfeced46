import { type IdempotencyStore, idempotent } from "lambda-once";
import type { TestContext } from "lambda-once/testing";
import { resultOf, type Scenario, tableOf } from "./scenario.ts";
import type { Subject } from "./serve.ts";

const RESULT = resultOf(200);
const CACHE = { entries: 1_000, bytes: 16 * 1024 * 1024 } as const;

/** lambda-once over a store; the table's name is the environment's where DynamoDB Local is asked. */
export function ours(makeStore: (tableName: string) => IdempotencyStore): Subject {
  return (scenario: Scenario) => {
    const run = async (_event: unknown, _context: TestContext) => {
      if (scenario.path === "error") throw new Error("declined");
      return RESULT;
    };
    const options = {
      store: makeStore(process.env["BENCH_TABLE"] ?? tableOf("ours", scenario)),
      operation: "place-order",
      cache: scenario.path === "cached" && CACHE,
    } as const;
    if (scenario.key === "event") return idempotent(run, options);
    return idempotent(run, { ...options, key: "orderId" });
  };
}
