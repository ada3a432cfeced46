import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { currentClaim } from "lambda-once";
import { etagOf, putIfChanged, updateIfVersion, versionFrom } from "lambda-once/writes";
import { answer, customerOf, notFound, readJson } from "./answer.ts";
import { findOrder, type Order, orders } from "./order.ts";

/**
 * `PUT /orders/{id}`, with `If-Match`. A method that is idempotent by itself: nothing is claimed. The same content again
 * changes nothing, neither the version nor `updatedAt`; another version than the one that was read is refused.
 */
export async function changeOrder(event: APIGatewayProxyEvent, _context: Context): Promise<APIGatewayProxyResult> {
  const order = await findOrder(event.pathParameters?.["id"], customerOf(event));
  if (order === undefined) return notFound();
  const change = readJson(event.body);
  if (!isChange(change)) return answer(400, { message: "allowed is { amount, note }, amount in cents" });
  const expected = versionFrom(headerOf(event, "if-match"));
  if (expected.match === "missing" || expected.match === "invalid")
    return answer(400, { message: "If-Match is no list of entity tags" });

  const { id, customer, orderNumber, status } = order;
  if (status !== "placed") return answer(409, { message: `an order that is ${status} cannot be changed`, status });
  // Of several versions the one that was read: with another one a payment may have begun, of the amount of before.
  const isRead = expected.match === "any" || expected.version.includes(order.version);
  const version = isRead ? [order.version] : expected.version;
  const { amount, note } = change;
  const { outcomes } = await currentClaim().commit([
    updateIfVersion({ table: orders, key: { id }, version }),
    putIfChanged({ table: orders, item: { id, customer, orderNumber, amount, note } }),
  ]);
  const [match, content] = outcomes;
  if (match.outcome === "stale") return shown(412, match.current);
  return shown(200, content.outcome === "unchanged" ? content.current : await findOrder(id, customer));
}

function shown(statusCode: number, order: Order | undefined): APIGatewayProxyResult {
  if (order === undefined) return notFound();
  const { id, orderNumber, amount, note, status, version } = order;
  return answer(statusCode, { orderId: id, orderNumber, amount, note, status, version }, { etag: etagOf(version) });
}

function headerOf({ headers }: APIGatewayProxyEvent, name: string): string | undefined {
  return Object.entries(headers ?? {}).find(([header]) => header.toLowerCase() === name)?.[1];
}

function isChange(value: unknown): value is { readonly amount: number; readonly note?: string } {
  const { amount, note } = (value ?? {}) as { amount?: unknown; note?: unknown };
  return Number.isSafeInteger(amount) && Number(amount) > 0 && (note === undefined || typeof note === "string");
}
