import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { sdkSettings } from "./memory.ts";

/** Answers in memory what a client sends that makes its request handler by itself, such as the one of `dynamoDBStore()`. */
export function answerClients(): void {
  const { requestHandler } = sdkSettings();
  if (requestHandler === undefined) return;
  const { handle } = requestHandler as { readonly handle: unknown };
  Object.assign(Object.getPrototypeOf(new DynamoDBClient({}).config.requestHandler), { handle });
}

/** The very client that `dynamoDBStore()` makes, taken from its first request. */
export function ownClient(): Promise<DynamoDBClient> {
  const { prototype } = DynamoDBClient;
  return new Promise((resolve) => {
    const send = async function (this: DynamoDBClient): Promise<object> {
      Reflect.deleteProperty(prototype, "send");
      resolve(this);
      return {};
    };
    Object.assign(prototype, { send });
    void dynamoDBStore({ tableName: "any" }).read("any", { consistent: true });
  });
}
