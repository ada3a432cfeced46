import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";

/** One business effect. Every execution appends one, so that counting entries counts executions. */
export interface Entry {
  readonly entryId: string;
  /** The order or payment that the entry is about. */
  readonly reference: string;
  /** In the currency's smallest unit. */
  readonly amount: number;
  readonly attempt: number;
}

const TableName = process.env["LEDGER_TABLE"] ?? "ledger";
const client = DynamoDBDocumentClient.from(new DynamoDBClient());

/** Appends a new entry, whatever stands there already: called twice, the money is booked twice. */
export async function book(effect: Omit<Entry, "entryId">): Promise<Entry> {
  const entry = { ...effect, entryId: randomUUID() };
  await client.send(new PutCommand({ TableName, Item: entry }));
  return entry;
}

/** The entry of an order or payment, where one has been booked. */
export async function findBooked(reference: string): Promise<Entry | undefined> {
  const { Items } = await client.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: "#reference = :reference",
      ExpressionAttributeNames: { "#reference": "reference" },
      ExpressionAttributeValues: { ":reference": reference },
      ConsistentRead: true,
    }),
  );
  return Items?.[0] as Entry | undefined;
}
