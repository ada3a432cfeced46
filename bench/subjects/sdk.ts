import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { sdkSettings } from "./memory.ts";
import { ours } from "./ours.ts";
import { serve } from "./serve.ts";

/** Over the client that the peer makes by itself. */
serve(ours((tableName) => dynamoDBStore({ tableName, client: new DynamoDBClient(sdkSettings()) })));
