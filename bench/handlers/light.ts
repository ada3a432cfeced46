import { idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb/light";

export const store = dynamoDBStore();

async function placeOrder(event: { readonly orderId: string }, _context: unknown) {
  return { orderId: event.orderId, status: "placed", total: 1_234.5, currency: "EUR", express: false };
}

export const handler = idempotent(placeOrder, { store, operation: "place-order", key: "orderId" });
