import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { answeringClient } from "./dynamodb.ts";
import { RESULT } from "./scenario.ts";
import { serve } from "./serve.ts";

const TableName = "records";
const result = JSON.stringify(RESULT);

/** The least that one can send to the same end: a conditional put, and an update with the result after a first execution. */
serve((scenario) => {
  const client = answeringClient(scenario, (id) => `{"id":{"S":"${id}"},"result":{"S":${JSON.stringify(result)}}}`);
  let sent = 0;
  return async () => {
    const id = { S: `place-order#${++sent}` };
    const put = new PutItemCommand({ TableName, Item: { id }, ConditionExpression: "attribute_not_exists(id)" });
    if (scenario.path !== "first") return client.send(put).catch(() => undefined);
    await client.send(put);
    const UpdateExpression = "SET r = :r";
    return client.send(
      new UpdateItemCommand({
        TableName,
        Key: { id },
        UpdateExpression,
        ExpressionAttributeValues: { ":r": { S: result } },
      }),
    );
  };
});
