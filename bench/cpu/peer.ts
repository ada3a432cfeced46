import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { answeringClient } from "./dynamodb.ts";
import { RESULT } from "./scenario.ts";
import { serve } from "./serve.ts";

const seconds = Math.ceil(Date.now() / 1_000) + 86_400;
const data =
  `{"M":{"orderId":{"S":"${RESULT.orderId}"},"status":{"S":"${RESULT.status}"},"total":{"N":"${RESULT.total}"},` +
  `"currency":{"S":"${RESULT.currency}"},"lines":{"N":"${RESULT.lines}"},"express":{"BOOL":${RESULT.express}}}}`;
const item = (id: string): string =>
  `{"id":{"S":"${id}"},"status":{"S":"COMPLETED"},"expiration":{"N":"${seconds}"},` +
  `"in_progress_expiration":{"N":"${Date.now()}"},"data":${data}}`;

serve((scenario) => {
  const persistenceStore = new DynamoDBPersistenceLayer({
    tableName: "records",
    awsSdkV3Client: answeringClient(scenario, item),
  });
  return makeIdempotent(async (_event: unknown, _context: unknown) => RESULT, {
    persistenceStore,
    keyPrefix: "place-order",
    config: new IdempotencyConfig({
      expiresAfterSeconds: 86_400,
      throwOnNoIdempotencyKey: scenario.path !== "missingRun",
      ...(scenario.key === "field" && { eventKeyJmesPath: "orderId" }),
    }),
  });
});
