import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { compile, type JSONValue, TreeInterpreter } from "@jmespath-community/jmespath";

const client = new DynamoDBClient({});
const TableName = process.env["LAMBDA_ONCE_TABLE"] ?? "";
const expression = compile("orderId");

/** The SDK and JMESPath, with nothing around them: as many requests as a first execution or a replay makes. */
export const handler = async (event: JSONValue): Promise<unknown> => {
  const id = { S: `place-order#${String(TreeInterpreter.search(expression, event))}` };
  const put = new PutItemCommand({ TableName, Item: { id }, ConditionExpression: "attribute_not_exists(id)" });
  if (process.env["BENCH_PATH"] === "replay") return client.send(put).catch(() => undefined);
  await client.send(put);
  const update = { TableName, Key: { id }, UpdateExpression: "SET r = :r" };
  return client.send(new UpdateItemCommand({ ...update, ExpressionAttributeValues: { ":r": { S: "placed" } } }));
};
