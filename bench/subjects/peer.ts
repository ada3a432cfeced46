import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { sdkSettings } from "./memory.ts";
import { resultOf, tableOf } from "./scenario.ts";
import { serve } from "./serve.ts";

const RESULT = resultOf(200);

serve((scenario) => {
  const persistenceStore = new DynamoDBPersistenceLayer({
    tableName: process.env["BENCH_TABLE"] ?? tableOf("peer", scenario),
    awsSdkV3Client: new DynamoDBClient(sdkSettings()),
  });
  const run = async (_event: unknown, _context: unknown) => {
    if (scenario.path === "error") throw new Error("declined");
    return RESULT;
  };
  return makeIdempotent(run, {
    persistenceStore,
    keyPrefix: "place-order",
    config: new IdempotencyConfig({
      expiresAfterSeconds: 86_400,
      throwOnNoIdempotencyKey: true,
      ...(scenario.key === "field" && { eventKeyJmesPath: "orderId" }),
      ...(scenario.path === "cached" && { useLocalCache: true, maxLocalCacheSize: 1_000 }),
    }),
  });
});
