import { GetItemCommand, PutItemCommand, type AttributeValue as SdkValue } from "@aws-sdk/client-dynamodb";
import type { Item } from "../../src/store/attributes.ts";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { START } from "../contract/requests.ts";
import { describeStore, handClock } from "../contract/store.ts";
import { localDynamoDB } from "../support/dynamodb.ts";

const local = await localDynamoDB();

describeStore("dynamoDBStore", async () => {
  const clock = handClock(START);
  const client = local.client();
  const TableName = await local.createTable();
  return {
    store: dynamoDBStore({ tableName: TableName, client, clock }),
    clock,
    seed: async (item) => {
      await client.send(new PutItemCommand({ TableName, Item: item as Record<string, SdkValue> }));
    },
    raw: async (id) =>
      (await client.send(new GetItemCommand({ TableName, Key: { id: { S: id } }, ConsistentRead: true }))).Item as Item,
  };
});
