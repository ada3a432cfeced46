import { randomUUID } from "node:crypto";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { currentClaim } from "lambda-once";
import { etagOf, putUnique } from "lambda-once/writes";
import { answer, customerOf, readJson } from "./answer.ts";
import { booking, newEntry } from "./ledger.ts";
import { orders } from "./order.ts";

interface NewOrder {
  /** What the customer calls it. */
  readonly orderId: string;
  /** In cents. */
  readonly amount: number;
}

/** No two orders of a customer have the same number. */
const unique = [{ name: "orderNumber", fields: ["customer", "orderNumber"] }] as const;

/**
 * `POST /orders`. The order, the guard of its number, its entry in the ledger and the answer commit in one transaction,
 * or not at all: a function that dies on the way leaves nothing behind.
 */
export async function placeOrder(event: APIGatewayProxyEvent, _context: Context): Promise<APIGatewayProxyResult> {
  const placed = readJson(event.body);
  if (!isOrder(placed)) return answer(400, { message: "allowed is { orderId, amount }, amount in cents" });
  const { orderId: orderNumber, amount } = placed;
  const id = randomUUID();
  const item = { id, customer: customerOf(event), orderNumber, amount, status: "placed" } as const;
  const entry = newEntry(id, amount);
  const body = { orderId: id, orderNumber, entryId: entry.entryId, status: "placed" };
  // The path as the caller sees it, with the stage.
  const result = answer(201, body, { location: `${event.requestContext.path}/${id}`, etag: etagOf(1) });

  const writes = [putUnique({ table: orders, item, unique }), booking(entry)] as const;
  const { outcomes } = await currentClaim().commit(writes, { result });
  const [inserted] = outcomes;
  if (inserted.outcome !== "duplicate") return result;
  return answer(409, { message: `the order ${orderNumber} was placed before`, orderId: inserted.existing.id });
}

function isOrder(value: unknown): value is NewOrder {
  const { orderId, amount } = (value ?? {}) as Partial<NewOrder>;
  return typeof orderId === "string" && orderId !== "" && Number.isSafeInteger(amount) && Number(amount) > 0;
}
