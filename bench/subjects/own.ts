import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { inMemory, sdkSettings } from "./memory.ts";
import { ours } from "./ours.ts";
import { serve } from "./serve.ts";

/** What `dynamoDBStore()` gives the client that it makes, besides the network's settings. */
const OWN = { cacheMiddleware: true, maxAttempts: 3 } as const;

serve(
  ours((tableName) =>
    inMemory
      ? dynamoDBStore({ tableName, client: new DynamoDBClient({ ...sdkSettings(), ...OWN }) })
      : dynamoDBStore({ tableName }),
  ),
);
