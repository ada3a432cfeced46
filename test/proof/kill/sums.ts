import { type AttributeValue, paginateScan } from "@aws-sdk/client-dynamodb";
import type { PaymentProvider } from "../../../infra/demo/provider.ts";
import type { LocalStack } from "../../../infra/local/stack.ts";
import type { Load, Operation } from "./load.ts";

/** What must be equal in the end. */
export interface Sum {
  readonly what: string;
  readonly expected: number;
  readonly found: number;
}

/** Adds the ledger, the orders, the charges and the answers up. `wrong` says what does not fit, one sentence each. */
export async function addUp(
  stack: LocalStack,
  provider: PaymentProvider,
  { orders, payments, queued }: Load,
): Promise<{ readonly sums: readonly Sum[]; readonly wrong: readonly string[] }> {
  const wrong: string[] = [];
  const ledger = await scan(stack, "LedgerTableName");
  const entries = new Map<string, number>();
  for (const { reference } of ledger) entries.set(reference?.S ?? "", (entries.get(reference?.S ?? "") ?? 0) + 1);
  const items = (await scan(stack, "OrderTableName")).filter(
    (item) => item["orderNumber"] !== undefined && item["status"] !== undefined,
  );
  const booked = new Set<string>();

  const once = (what: string, reference: string): void => {
    const count = entries.get(reference) ?? 0;
    booked.add(reference);
    if (count !== 1) wrong.push(`${what} has ${count} entries in the ledger`);
  };
  const answerOf = ({ name, answers }: Operation, status: number): Readonly<Record<string, string>> => {
    const [first, ...others] = answers;
    if (first?.status !== status) wrong.push(`${name} was answered ${first?.status}: ${first?.body}`);
    for (const other of others) {
      if (other.status !== first?.status || other.body !== first.body)
        wrong.push(`${name} was answered twice, and not the same`);
    }
    return JSON.parse(first?.body ?? "{}") as Record<string, string>;
  };

  for (const order of orders) {
    const { orderId = "" } = answerOf(order, 201);
    once(order.name, orderId);
    if (items.filter(({ id }) => id?.S === orderId).length !== 1) wrong.push(`${order.name} is not in the table`);
  }
  for (const payment of payments) {
    const { orderId, chargeId = "" } = answerOf(payment, 200);
    once(payment.name, chargeId);
    const charges = provider.charges.filter((charge) => charge.orderId === orderId);
    if (charges.length !== 1 || charges[0]?.chargeId !== chargeId)
      wrong.push(`${payment.name} has ${charges.length} charges`);
  }
  for (const paymentId of queued) once(paymentId, paymentId);
  const strays = [...entries.keys()].filter((reference) => !booked.has(reference));
  if (strays.length > 0) wrong.push(`${strays.length} entries in the ledger that nobody was told of`);

  const operations = [...orders, ...payments];
  const sums: Sum[] = [
    { what: "entries in the ledger", expected: orders.length + payments.length + queued.length, found: ledger.length },
    { what: "orders in the table", expected: orders.length, found: items.length },
    { what: "charges at the provider", expected: payments.length, found: provider.charges.length },
    {
      what: "operations with one answer for all clients",
      expected: operations.length,
      found: operations.filter(({ answers }) => new Set(answers.map((one) => JSON.stringify(one))).size === 1).length,
    },
  ];
  for (const { what, expected, found } of sums) if (expected !== found) wrong.push(`${found} ${what}, not ${expected}`);
  return { sums, wrong };
}

async function scan(stack: LocalStack, table: string): Promise<readonly Readonly<Record<string, AttributeValue>>[]> {
  const found: Record<string, AttributeValue>[] = [];
  const pages = paginateScan(
    { client: stack.clients.dynamodb },
    { TableName: stack.tableName(table), ConsistentRead: true },
  );
  for await (const { Items = [] } of pages) found.push(...Items);
  return found;
}
