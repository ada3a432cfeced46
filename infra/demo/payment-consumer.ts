import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { currentClaim, idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { book, findBooked } from "./ledger.ts";

interface Payment {
  readonly paymentId: string;
  readonly amount: number;
}

/** Books one payment. The key is the payment's own, since a sender that sends twice makes two messages of it. */
export const recordPayment = idempotent(
  async ({ body }: SQSRecord, _context: Context) => {
    const { paymentId, amount }: Payment = JSON.parse(body);
    const { attempt } = currentClaim();
    const booked = attempt > 1 ? await findBooked(paymentId) : undefined;
    const { entryId } = booked ?? (await book({ reference: paymentId, amount, attempt }));
    return { paymentId, entryId };
  },
  {
    store: dynamoDBStore(),
    operation: "record-payment",
    key: "json(body).paymentId",
    fingerprint: "json(body)",
    expiresAfter: { days: 15 }, // A queue keeps a message for up to 14 days.
  },
);

/** Reads the queue `payments`: messages that failed, or whose first delivery is still at work, come back later. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const answers = await Promise.allSettled(event.Records.map((record) => recordPayment(record, context)));
  const failed = event.Records.filter((_, index) => answers[index]?.status === "rejected");
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
