import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { sdkSettings } from "./memory.ts";
import { resultOf, tableOf } from "./scenario.ts";
import { serve } from "./serve.ts";

const RESULT = JSON.stringify(resultOf(200));

/**
 * The least that one can send over the SDK to the same end: a conditional put, and after it an update with the result. By a
 * client that is as fast as the one that `dynamoDBStore()` makes: see src/store/sdk.ts.
 */
serve((scenario) => {
  const client = new DynamoDBClient({ ...sdkSettings(), cacheMiddleware: true });
  client.middlewareStack.remove("loggerMiddleware");
  const heir = Object.create(client.config) as { readonly region?: unknown };
  for (let read = 0; read < 100; read++) void heir.region;
  const TableName = tableOf("ours", scenario);
  let sent = 0;
  return async () => {
    const id = { S: `place-order#${++sent}` };
    const put = new PutItemCommand({ TableName, Item: { id }, ConditionExpression: "attribute_not_exists(id)" });
    if (scenario.path !== "first") return client.send(put).catch(() => undefined);
    await client.send(put);
    const update = { TableName, Key: { id }, UpdateExpression: "SET r = :r" };
    return client.send(new UpdateItemCommand({ ...update, ExpressionAttributeValues: { ":r": { S: RESULT } } }));
  };
});
