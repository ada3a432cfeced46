import { idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import type { TestContext } from "lambda-once/testing";
import { answeringClient } from "./dynamodb.ts";
import { RESULT } from "./scenario.ts";
import { serve } from "./serve.ts";

const result = JSON.stringify(JSON.stringify(RESULT));
const [seconds, millis] = [Math.ceil(Date.now() / 1_000) + 86_400, Date.now()];
const item = (id: string): string =>
  `{"id":{"S":"${id}"},"v":{"N":"1"},"status":{"S":"COMPLETED"},"owner":{"S":"0f8fad5b-d9cb-469f-a165-70867728950e"},` +
  `"attempt":{"N":"1"},"createdAt":{"N":"${millis}"},"completedAt":{"N":"${millis}"},"expiresAt":{"N":"${seconds}"},` +
  `"encoding":{"S":"json"},"result":{"S":${result}}}`;

serve((scenario) => {
  // What `dynamoDBStore()` gives the client that it makes, besides the network's settings.
  const settings = scenario.client === "own" ? { cacheMiddleware: true, maxAttempts: 3 } : {};
  const store = dynamoDBStore({ tableName: "records", client: answeringClient(scenario, item, settings) });
  return idempotent(async (_event: unknown, _context: TestContext) => RESULT, {
    store,
    operation: "place-order",
    whenKeyMissing: scenario.path === "missingRun" ? "run" : "reject",
    ...(scenario.key === "field" && { key: "orderId" }),
  });
});
