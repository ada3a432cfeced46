import { randomUUID } from "node:crypto";
import { CreateTableCommand, type DynamoDBClient, GetItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { table } from "lambda-once/writes";
import type { LocalDynamoDB } from "../../infra/local/dynamodb-local.ts";
import { epochMillis } from "../../src/core/time.ts";

export interface Order {
  readonly id: string;
  readonly orderNumber: string;
  readonly status: "created" | "paid" | "shipped" | "cancelled";
  readonly version: number;
  readonly amount: number;
  readonly note?: string;
  readonly paidAt?: number;
  readonly createdAt?: number;
  readonly updatedAt?: number;
}

export const machine = {
  created: ["paid", "cancelled"],
  paid: ["shipped"],
  shipped: [],
  cancelled: [],
} as const;

export const START = 1_700_000_000_000;

/** A clock that stands still until it is moved. */
export const clock = { time: START, now: () => epochMillis(clock.time) };

/** Handles of one table: with all that means something, and with the key alone. */
export const handles = (name: string) => ({
  orders: table<Order>()({ name, key: ["id"], state: "status", version: "version", clock }),
  plain: table<Order>()({ name, key: ["id"], state: "status", clock }),
});

/** An order of its own, not in the table yet. */
export function newOrder(over: Partial<Order> = {}): Order {
  const id = randomUUID();
  return { id, orderNumber: `n-${id}`, status: "created", version: 1, amount: 5, ...over };
}

export const readItem = async (client: DynamoDBClient, TableName: string, id: string) => {
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: { id: { S: id } }, ConsistentRead: true }));
  return Item && unmarshall(Item);
};

/** Everything in the table, in native values. */
export const readAll = async (client: DynamoDBClient, TableName: string) => {
  const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
  return Items.map((item) => unmarshall(item));
};

export const put = (document: { send(command: PutCommand): Promise<unknown> }, TableName: string, Item: object) =>
  document.send(new PutCommand({ TableName, Item: { ...Item } }));

/** A table of another primary key. */
export async function createTable(
  local: LocalDynamoDB,
  key: readonly [name: string, type: "S" | "N" | "B"][],
): Promise<string> {
  const TableName = `table-${randomUUID()}`;
  const client = local.client();
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: key.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
      KeySchema: key.map(([AttributeName], at) => ({ AttributeName, KeyType: at === 0 ? "HASH" : "RANGE" })),
    }),
  );
  client.destroy();
  return TableName;
}
