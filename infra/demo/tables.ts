import { type AttributeValue, CreateTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { LocalDynamoDB } from "../../test/support/dynamodb-local.ts";

/** An item as DynamoDB has it. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** The demo's two tables, looked at past the library and the handlers. */
export interface Tables {
  /** How many entries the ledger has: each execution of a business effect leaves one. */
  ledgerCount(): Promise<number>;
  /** All idempotency records. */
  records(): Promise<readonly Item[]>;
}

/**
 * Creates the tables and points this process, and what it starts, at them: from then on the handlers find
 * DynamoDB Local where they would find DynamoDB in Lambda.
 */
export async function createTables(local: LocalDynamoDB): Promise<Tables> {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
  Object.assign(process.env, {
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    AWS_ENDPOINT_URL_DYNAMODB: local.endpoint,
    AWS_REGION: "local",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    LAMBDA_ONCE_TABLE: "idempotency",
    LEDGER_TABLE: "ledger",
  });
  await local.createTable("idempotency");
  const client = new DynamoDBClient();
  await client.send(
    new CreateTableCommand({
      TableName: "ledger",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "reference", AttributeType: "S" },
        { AttributeName: "entryId", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "reference", KeyType: "HASH" },
        { AttributeName: "entryId", KeyType: "RANGE" },
      ],
    }),
  );
  return {
    async ledgerCount() {
      const { Count } = await client.send(
        new ScanCommand({ TableName: "ledger", Select: "COUNT", ConsistentRead: true }),
      );
      return Count ?? 0;
    },
    async records() {
      const { Items } = await client.send(new ScanCommand({ TableName: "idempotency", ConsistentRead: true }));
      return Items ?? [];
    },
  };
}
