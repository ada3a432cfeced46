import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { table } from "lambda-once/writes";

/** What may follow each state of an order. Drawn in docs/writes.md. */
export const machine = {
  placed: ["charging", "cancelled"],
  charging: ["charged", "placed"],
  charged: ["paid"],
  paid: ["shipped"],
  shipped: [],
  cancelled: [],
} as const;

/** An order as it stands in its table. */
export interface Order {
  readonly id: string;
  readonly customer: string;
  /** What the customer calls it: no two orders share one. */
  readonly orderNumber: string;
  /** In the currency's smallest unit. */
  readonly amount: number;
  readonly note?: string | undefined;
  readonly status: keyof typeof machine;
  readonly version: number;
}

/** The table of the orders, as the builders of `lambda-once/writes` know it. */
export const orders = table<Order>()({
  name: process.env["ORDERS_TABLE"] ?? "orders",
  key: ["id"],
  state: "status",
  version: "version",
});

/** For what stands outside of a claim's commit. */
export const client = DynamoDBDocumentClient.from(new DynamoDBClient());

/** The customer's order as it stands now; `undefined` where there is none, or it is another customer's. */
export async function findOrder(id: string | undefined, customer: string): Promise<Order | undefined> {
  if (id === undefined) return undefined;
  const { Item } = await client.send(new GetCommand({ TableName: orders.name, Key: { id }, ConsistentRead: true }));
  const order = Item as Order | undefined;
  return order?.customer === customer ? order : undefined;
}
