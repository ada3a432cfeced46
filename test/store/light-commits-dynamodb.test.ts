import { GetItemCommand, PutItemCommand, type AttributeValue as SdkValue } from "@aws-sdk/client-dynamodb";
import { dynamoDBStore } from "lambda-once/dynamodb/light";
import { localConfig } from "../../infra/local/dynamodb-local.ts";
import type { Item } from "../../src/store/attributes.ts";
import { marshaller } from "../../src/store/native.ts";
import { describeCommits } from "../contract/commits.ts";
import { START } from "../contract/requests.ts";
import { handClock } from "../contract/store.ts";
import { localDynamoDB } from "../support/dynamodb.ts";

const local = await localDynamoDB();

describeCommits("dynamoDBStore over a light client", async () => {
  const beside = local.client();
  const [TableName, table] = [await local.createTable(), await local.createTable()];
  const { native } = await marshaller();
  const read = async (name: string, id: string): Promise<Item | undefined> =>
    (await beside.send(new GetItemCommand({ TableName: name, Key: { id: { S: id } }, ConsistentRead: true }))).Item as
      | Item
      | undefined;
  return {
    store: dynamoDBStore({ tableName: TableName, endpoint: local.endpoint, ...localConfig, clock: handClock(START) }),
    table,
    async get(id) {
      const item = await read(table, id);
      return item && native(item);
    },
    seed: async (item) => {
      await beside.send(new PutItemCommand({ TableName, Item: item as Record<string, SdkValue> }));
    },
    raw: (id) => read(TableName, id),
  };
});
