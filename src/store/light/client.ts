import { connect, type LightClient } from "./connect.ts";
import { checkLightOptions, type LightClientOptions } from "./options.ts";
import { lightRuntime } from "./runtime.ts";

/**
 * A client for DynamoDB that loads nothing of the AWS SDK: `node:https` with keep-alive, and a signature.
 * Requests are tried three times, within about ten seconds, with pauses of random length and a budget for all
 * of them together.
 *
 * Make it outside the handler, and share it between stores.
 *
 * @throws IdempotencyConfigError for an option that does not exist or cannot be used.
 * @example
 * import { dynamoDBStore, lightClient } from "lambda-once/dynamodb/light";
 *
 * const client = lightClient({ region: "eu-central-1", maxAttempts: 2 });
 * const orders = dynamoDBStore({ client, tableName: "orders" });
 * const payments = dynamoDBStore({ client, tableName: "payments" });
 */
export function lightClient(options: LightClientOptions = {}): LightClient {
  return connect(checkLightOptions("lightClient", options), lightRuntime);
}
