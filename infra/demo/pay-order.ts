import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { currentClaim } from "lambda-once";
import { commit } from "lambda-once/dynamodb";
import { transition, updateIfVersion } from "lambda-once/writes";
import { answer, customerOf, notFound } from "./answer.ts";
import { booking, newEntry } from "./ledger.ts";
import { client, findOrder, machine, orders } from "./order.ts";
import { ChargeRefusedError, charge } from "./payment-provider.ts";

/**
 * `POST /orders/{id}/pay`. From the moment that the order is `charging` it neither changes nor is cancelled, so that what is
 * charged is what stands in it. The charge is a step: recorded once it is answered, and asked for under the same key in every
 * attempt, so that a function that dies in between charges once. The order's state, the ledger and the answer commit together.
 */
export async function payOrder(event: APIGatewayProxyEvent, _context: Context): Promise<APIGatewayProxyResult> {
  const found = await findOrder(event.pathParameters?.["id"], customerOf(event));
  if (found === undefined) return notFound();
  const { id, customer } = found;
  // Where it is charging already, an earlier attempt died, or nobody knows what the provider did: this one goes on.
  await commit(client, [transition({ table: orders, key: { id }, from: "placed", to: "charging", machine })]);
  const { amount, status, version } = (await findOrder(id, customer)) ?? found;
  if (status === "cancelled") return answer(409, { message: "the order is cancelled", status });
  if (status !== "charging") return answer(200, { orderId: id, status });

  const claim = currentClaim();
  try {
    const { chargeId } = await claim.step("charge", (step) => charge({ orderId: id, amount }, step));
    claim.write(
      transition({ table: orders, key: { id }, from: "charging", to: "charged", machine }),
      booking(newEntry(chargeId, amount)),
    );
    return answer(200, { orderId: id, chargeId, status: "charged" });
  } catch (error) {
    if (!(error instanceof ChargeRefusedError)) throw error;
    // Of this version alone: it may be charged anew by now, where this attempt slept past its lock.
    await commit(client, [
      transition({ table: orders, key: { id }, from: "charging", to: "placed", machine }),
      updateIfVersion({ table: orders, key: { id }, version }),
    ]);
    return answer(402, { message: error.message, status: "placed" });
  }
}
