import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { currentClaim } from "lambda-once";
import { transition } from "lambda-once/writes";
import { answer, customerOf, notFound } from "./answer.ts";
import { booking, newEntry } from "./ledger.ts";
import { findOrder, machine, orders } from "./order.ts";
import { charge } from "./payment-provider.ts";

/**
 * `POST /orders/{id}/pay`. The charge is a step: recorded once it is answered, and asked for under the same key in every
 * attempt, so that a function that dies in between charges once. The order's state, the ledger and the answer commit together.
 */
export async function payOrder(event: APIGatewayProxyEvent, _context: Context): Promise<APIGatewayProxyResult> {
  const order = await findOrder(event.pathParameters?.["id"], customerOf(event));
  if (order === undefined) return notFound();
  const { id, amount, status } = order;
  if (status === "cancelled") return answer(409, { message: "the order is cancelled", status });
  if (status !== "placed") return answer(200, { orderId: id, status });

  const claim = currentClaim();
  const { chargeId } = await claim.step("charge", (step) => charge({ orderId: id, amount }, step));
  claim.write(
    transition({ table: orders, key: { id }, from: "placed", to: "charged", machine }),
    booking(newEntry(chargeId, amount)),
  );
  return answer(200, { orderId: id, chargeId, status: "charged" });
}
