import { currentClaim } from "lambda-once";
import { idempotentBatch, type SqsRecord } from "lambda-once/batch";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { book, findBooked } from "./ledger.ts";

interface Payment {
  readonly paymentId: string;
  readonly amount: number;
}

async function recordPayment({ body }: SqsRecord) {
  const { paymentId, amount }: Payment = JSON.parse(body);
  const { attempt } = currentClaim();
  // An earlier attempt may have booked the payment before it died: look first.
  const booked = attempt > 1 ? await findBooked(paymentId) : undefined;
  const { entryId } = booked ?? (await book({ reference: paymentId, amount, attempt }));
  return { paymentId, entryId };
}

/** Reads the queue `payments`. The key is the payment's own, since a sender that sends twice makes two messages of it. */
export const handler = idempotentBatch(recordPayment, {
  store: dynamoDBStore(),
  operation: "record-payment",
  key: "json(body).paymentId",
  fingerprint: "json(body)",
  // No error leaves the batch: what goes back to the queue is seen here.
  observe: (turn) => turn.type === "reported" && console.error(turn),
});
