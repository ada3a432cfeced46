import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { inMemory, sdkSettings } from "./memory.ts";
import { ours } from "./ours.ts";
import { serve } from "./serve.ts";

/** A client as `dynamoDBStore()` makes it, but for the network's settings. */
function ownClient(): DynamoDBClient {
  const settings = { cacheMiddleware: true, maxAttempts: 3 } as const;
  const client = new DynamoDBClient({ ...sdkSettings(), ...settings });
  client.middlewareStack.remove("loggerMiddleware");
  return client;
}

serve(
  ours((tableName) => (inMemory ? dynamoDBStore({ tableName, client: ownClient() }) : dynamoDBStore({ tableName }))),
);
