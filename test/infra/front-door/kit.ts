import { ScanCommand } from "@aws-sdk/client-dynamodb";
import type { PaymentProvider } from "../../../infra/demo/provider.ts";
import type { Item, Sender } from "../../../infra/demo/sender.ts";
import type { LocalStack } from "../../../infra/local/stack.ts";

/** The stack that runs, who sends to it, and the payment provider that it asks. */
export interface Service {
  readonly stack: LocalStack;
  readonly sender: Sender;
  readonly provider: PaymentProvider;
}

/** How many effects there are, each counted where it is kept. */
export interface Counts {
  readonly orders: number;
  /** Of order numbers. */
  readonly guards: number;
  readonly ledger: number;
  readonly charges: number;
}

/** Counts the tables' items past the functions, and the provider's charges. */
async function count({ stack, sender, provider }: Service): Promise<Counts> {
  const TableName = stack.tableName("OrderTableName");
  let items: Item[] = [];
  let from: Item | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await stack.clients.dynamodb.send(
      new ScanCommand({ TableName, ConsistentRead: true, ...(from && { ExclusiveStartKey: from }) }),
    );
    items = [...items, ...Items];
    from = LastEvaluatedKey;
  } while (from !== undefined);
  const orders = items.filter((item) => item["orderNumber"] !== undefined && item["status"] !== undefined).length;
  return { orders, guards: items.length - orders, ledger: await sender.booked(), charges: provider.charges.length };
}

/** What `act` adds to the counts. */
export async function added(service: Service, act: () => Promise<unknown>): Promise<Counts> {
  const before = await count(service);
  await act();
  const after = await count(service);
  return {
    orders: after.orders - before.orders,
    guards: after.guards - before.guards,
    ledger: after.ledger - before.ledger,
    charges: after.charges - before.charges,
  };
}

/** One order more: itself, the guard of its number, its entry in the ledger. */
export const ONE_ORDER: Counts = { orders: 1, guards: 1, ledger: 1, charges: 0 };
export const NOTHING: Counts = { orders: 0, guards: 0, ledger: 0, charges: 0 };

/** The invocations of a function. */
export const runsOf = ({ stack }: Service, name: string) =>
  stack.invocations.filter((one) => one.function.startsWith(name));
