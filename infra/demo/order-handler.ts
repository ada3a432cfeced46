import type { APIGatewayProxyEventV2WithJWTAuthorizer, Context } from "aws-lambda";
import { currentClaim, idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { book, findBooked } from "./ledger.ts";

interface Order {
  readonly orderId: string;
  readonly amount: number;
}

async function placeOrder(event: APIGatewayProxyEventV2WithJWTAuthorizer, _context: Context) {
  const { orderId, amount }: Order = JSON.parse(event.body ?? "");
  const { attempt } = currentClaim();

  // An earlier attempt may have booked the order before it died: look first. (One that is late instead of
  // dead can still book after this look.)
  const booked = attempt > 1 ? await findBooked(orderId) : undefined;
  const { entryId } = booked ?? (await book({ reference: orderId, amount, attempt }));

  return {
    statusCode: 201,
    headers: { "content-type": "application/json", location: `/orders/${orderId}` },
    body: JSON.stringify({ orderId, entryId, status: "placed" }),
  };
}

/** How two requests are known to be the same order. */
export const orders = {
  store: dynamoDBStore(),
  operation: "place-order",
  key: 'headers."idempotency-key"',
  principal: "requestContext.authorizer.jwt.claims.sub",
  fingerprint: "[routeKey, json(body)]",
};

/** `POST /orders` behind an API Gateway HTTP API: a request that is sent again gets the first one's answer. */
export const handler = idempotent(placeOrder, orders);
