import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";

const persistenceStore = new DynamoDBPersistenceLayer({ tableName: process.env["LAMBDA_ONCE_TABLE"] ?? "" });

async function placeOrder(event: { readonly orderId: string }, _context: unknown) {
  return { orderId: event.orderId, status: "placed", total: 1_234.5, currency: "EUR", express: false };
}

export const handler = makeIdempotent(placeOrder, {
  persistenceStore,
  keyPrefix: "place-order",
  config: new IdempotencyConfig({
    expiresAfterSeconds: 86_400,
    throwOnNoIdempotencyKey: true,
    eventKeyJmesPath: "orderId",
  }),
});
