import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { currentClaim, idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { authorizerPrincipal, http } from "lambda-once/http";
import { book, findBooked } from "./ledger.ts";

interface Order {
  readonly orderId: string;
  readonly amount: number;
}

async function placeOrder({ body }: APIGatewayProxyEvent, _context: Context): Promise<APIGatewayProxyResult> {
  const order = readJson(body);
  if (!isOrder(order)) return answer(400, { message: "allowed is { orderId, amount }, amount in cents" });
  const { orderId, amount } = order;
  const { attempt } = currentClaim();

  // An earlier attempt may have booked the order before it died: look first.
  const booked = attempt > 1 ? await findBooked(orderId) : undefined;
  const { entryId } = booked ?? (await book({ reference: orderId, amount, attempt }));
  return answer(201, { orderId, entryId, status: "placed" }, { location: `/orders/${orderId}` });
}

/** `POST /orders` behind the REST API: a request that is sent again gets the first one's answer. */
export const handler = idempotent(placeOrder, {
  store: dynamoDBStore(),
  operation: "place-order",
  binding: http({ principal: authorizerPrincipal() }),
});

function answer(
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyResult {
  return { statusCode, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

function isOrder(value: unknown): value is Order {
  const { orderId, amount } = (value ?? {}) as Partial<Order>;
  return typeof orderId === "string" && orderId !== "" && Number.isSafeInteger(amount) && Number(amount) > 0;
}

/** `undefined` for what is no JSON. */
function readJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
