import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { currentClaim } from "lambda-once";
import { transition } from "lambda-once/writes";
import { answer, customerOf, notFound } from "./answer.ts";
import { findOrder, machine, orders } from "./order.ts";

/** `POST /orders/{id}/cancel`: where the machine allows it. An order that is cancelled already is a success, too. */
export async function cancelOrder(event: APIGatewayProxyEvent, _context: Context): Promise<APIGatewayProxyResult> {
  const order = await findOrder(event.pathParameters?.["id"], customerOf(event));
  if (order === undefined) return notFound();
  const { id } = order;
  const result = answer(200, { orderId: id, status: "cancelled" });
  const move = transition({ table: orders, key: { id }, from: "placed", to: "cancelled", machine });
  const { outcomes } = await currentClaim().commit([move], { result });
  const [moved] = outcomes;
  if (moved.outcome !== "illegal") return result;
  return answer(409, { message: `an order that is ${moved.state} cannot be cancelled`, status: moved.state });
}
