import { GetItemCommand, PutItemCommand, type AttributeValue as SdkValue } from "@aws-sdk/client-dynamodb";
import { dynamoDBStore } from "lambda-once/dynamodb/light";
import { localConfig } from "../../infra/local/dynamodb-local.ts";
import type { Item } from "../../src/store/attributes.ts";
import { marshaller } from "../../src/store/native.ts";
import { describeCommits } from "../contract/commits.ts";
import { START } from "../contract/requests.ts";
import { describeStore, handClock } from "../contract/store.ts";
import { localDynamoDB } from "../support/dynamodb.ts";

const local = await localDynamoDB();
const beside = local.client();

/** A store over a light client, and its raw items by the SDK. */
async function lightAt() {
  const clock = handClock(START);
  const [TableName, table] = [await local.createTable(), await local.createTable()];
  const read = async (name: string, id: string): Promise<Item | undefined> => {
    const request = new GetItemCommand({ TableName: name, Key: { id: { S: id } }, ConsistentRead: true });
    return (await beside.send(request)).Item as Item | undefined;
  };
  const { native } = await marshaller();
  return {
    store: dynamoDBStore({ tableName: TableName, endpoint: local.endpoint, ...localConfig, clock }),
    clock,
    table,
    seed: async (item: Item) => {
      await beside.send(new PutItemCommand({ TableName, Item: item as Record<string, SdkValue> }));
    },
    raw: (id: string) => read(TableName, id),
    get: async (id: string) => {
      const item = await read(table, id);
      return item && native(item);
    },
  };
}

describeStore("dynamoDBStore over a light client", lightAt);
describeCommits("dynamoDBStore over a light client", lightAt);
