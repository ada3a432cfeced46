import { CreateTableCommand, type DynamoDBClient, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import type { TableModel } from "./resources.ts";

/** Makes the template's tables, with their indexes and the attribute by which items expire. */
export async function createTables(client: DynamoDBClient, tables: readonly TableModel[]): Promise<void> {
  await Promise.all(
    tables.map(async ({ name, keys, attributes, globalIndexes, localIndexes, expiry }) => {
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: [...keys],
          AttributeDefinitions: [...attributes],
          ...(globalIndexes.length > 0 && { GlobalSecondaryIndexes: [...globalIndexes] }),
          ...(localIndexes.length > 0 && { LocalSecondaryIndexes: [...localIndexes] }),
        }),
      );
      if (expiry === undefined) return;
      const TimeToLiveSpecification = { AttributeName: expiry, Enabled: true };
      await client.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }));
    }),
  );
}
