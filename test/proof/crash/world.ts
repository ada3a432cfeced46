import { randomUUID } from "node:crypto";
import { DynamoDBClient, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { localConfig } from "../../../infra/local/dynamodb-local.ts";

/** The tables of one matrix. `records` has the key `id`; the others have `operation` and `entry`. */
export interface Tables {
  readonly records: string;
  readonly orders: string;
  readonly ledger: string;
  readonly effects: string;
}

/** One effect that was had, or one entry that was committed. */
export interface Entry {
  readonly entry: string;
  /** Of an effect: what it was, in which attempt, under which downstream key. */
  readonly name?: string | undefined;
  readonly attempt?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** What the functions work on, past all faults: a world that remembers everything, whoever dies. */
export interface World {
  readonly tables: Tables;
  /** Has an effect that nothing takes back, and answers its entry. */
  effect(operation: string, about: Omit<Entry, "entry">): Promise<string>;
  entries(table: keyof Tables, operation: string): Promise<readonly Entry[]>;
  close(): void;
}

/** The world behind the DynamoDB Local at `endpoint`. */
export function worldAt(endpoint: string, tables: Tables): World {
  const client = new DynamoDBClient({ ...localConfig, endpoint });
  return {
    tables,
    async effect(operation, { name, attempt, idempotencyKey }) {
      const entry = randomUUID();
      await client.send(
        new PutItemCommand({
          TableName: tables.effects,
          Item: {
            operation: { S: operation },
            entry: { S: entry },
            name: { S: name ?? "" },
            attempt: { N: String(attempt ?? 0) },
            idempotencyKey: { S: idempotencyKey ?? "" },
          },
        }),
      );
      return entry;
    },
    async entries(table, operation) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tables[table],
          ConsistentRead: true,
          KeyConditionExpression: "operation = :operation",
          ExpressionAttributeValues: { ":operation": { S: operation } },
        }),
      );
      return Items.map(({ entry, name, attempt, idempotencyKey }) => ({
        entry: entry?.S ?? "",
        name: name?.S,
        attempt: Number(attempt?.N ?? 0),
        idempotencyKey: idempotencyKey?.S,
      }));
    },
    close: () => client.destroy(),
  };
}
