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

  const { id, customer, orderNumber } = order;
  const { amount, note } = change;
  const { outcomes } = await currentClaim().commit([
    updateIfVersion({ table: orders, key: { id }, version: expected.version }),
    putIfChanged({ table: orders, item: { id, customer, orderNumber, amount, note } }),
  ]);
  const [version, content] = outcomes;
  if (version.outcome === "stale") return shown(412, version.current);
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
