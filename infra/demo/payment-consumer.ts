import { currentClaim } from "lambda-once";
import { idempotentBatch, type SqsRecord } from "lambda-once/batch";
import { dynamoDBStore } from "lambda-once/dynamodb/light";
import { booking, newEntry } from "./ledger.ts";

interface Payment {
  readonly paymentId: string;
  readonly amount: number;
}

// Without the SDK: a third of the bundle. Its connection is opened while Lambda initialises the function.
const store = dynamoDBStore();
await store.prewarm();

/** The entry commits with the record that says so: no crash in between books twice, or not at all. */
async function recordPayment({ body }: SqsRecord) {
  const { paymentId, amount } = readPayment(body);
  const entry = newEntry(paymentId, amount);
  currentClaim().write(booking(entry));
  return { paymentId, entryId: entry.entryId };
}

/** @throws TypeError for what is no payment: the message goes to the dead-letter queue */
function readPayment(body: string): Payment {
  const { paymentId, amount } = JSON.parse(body) as Partial<Payment>;
  if (typeof paymentId !== "string" || !Number.isSafeInteger(amount))
    throw new TypeError("allowed is { paymentId, amount }, amount in cents");
  return { paymentId, amount: Number(amount) };
}

/** Reads the queue `payments`. The key is the payment's own, since a sender that sends twice makes two messages of it. */
export const handler = idempotentBatch(recordPayment, {
  store,
  operation: "record-payment",
  key: "json(body).paymentId",
  fingerprint: "json(body)",
  // No error leaves the batch: what goes back to the queue is seen here.
  observe: (turn) => turn.type === "reported" && console.error(turn),
});
