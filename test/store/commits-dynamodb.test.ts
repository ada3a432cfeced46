import { GetItemCommand, PutItemCommand, type AttributeValue as SdkValue } from "@aws-sdk/client-dynamodb";
import type { Item } from "../../src/store/attributes.ts";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { marshaller } from "../../src/store/native.ts";
import { describeCommits } from "../contract/commits.ts";
import { START } from "../contract/requests.ts";
import { handClock } from "../contract/store.ts";
import { localDynamoDB } from "../support/dynamodb.ts";

const local = await localDynamoDB();

describeCommits("dynamoDBStore", async () => {
  const client = local.client();
  const [TableName, table] = [await local.createTable(), await local.createTable()];
  const { native } = await marshaller();
  const read = async (name: string, id: string): Promise<Item | undefined> =>
    (await client.send(new GetItemCommand({ TableName: name, Key: { id: { S: id } }, ConsistentRead: true }))).Item as
      | Item
      | undefined;
  return {
    store: dynamoDBStore({ tableName: TableName, client, clock: handClock(START) }),
    table,
    async get(id) {
      const item = await read(table, id);
      return item && native(item);
    },
    seed: async (item) => {
      await client.send(new PutItemCommand({ TableName, Item: item as Record<string, SdkValue> }));
    },
    raw: (id) => read(TableName, id),
  };
});
