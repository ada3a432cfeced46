import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SQSEvent } from "aws-lambda";
import { isIdempotencyError } from "lambda-once";
import { lambdaContext, type TestContext } from "lambda-once/testing";
import { orderRequest } from "./events.ts";
import { handler as orderHandler } from "./order-handler.ts";
import { handler as paymentHandler, recordPayment } from "./payment-consumer.ts";
import type { Tables } from "./tables.ts";

/** The context of an invocation with half a minute to run. */
export const invocation = (): TestContext => lambdaContext({ functionName: "order-service" });

/** What the sender of an order saw. */
export interface Seen {
  /** In words: whether the function ran, or why not. */
  readonly answer: string;
  /** The response's body; nothing where the request was refused. */
  readonly body?: string;
}

/** Sends an order as a client does: each time a request of its own, with the client's key. */
export async function placeOrder(key: string, change: Readonly<Record<string, unknown>>): Promise<Seen> {
  try {
    const { status, attempt, result } = await orderHandler.outcome(orderRequest(key, change), invocation());
    return { answer: `${status} (attempt ${attempt}): ${result.statusCode}`, body: result.body };
  } catch (error) {
    if (isIdempotencyError(error)) return { answer: `refused: ${error.code} (${error.statusCode})` };
    throw error;
  }
}

/** Delivers a batch as SQS does, and says what came of it. */
export async function deliver(batch: SQSEvent): Promise<string> {
  const { batchItemFailures } = await paymentHandler(batch, invocation());
  return `${batchItemFailures.length} of ${batch.Records.length} failed`;
}

/** Sends each message of a batch once more, past the batch, and counts those that are answered from their record. */
export async function countReplays(batch: SQSEvent): Promise<number> {
  const outcomes = await Promise.all(batch.Records.map((record) => recordPayment.outcome(record, invocation())));
  return outcomes.filter(({ status }) => status === "replayed").length;
}

/** Sends an order to a process that dies, and says how it ended and what it left. */
export async function crash(tables: Tables, key: string, orderId: string, when: "before" | "after"): Promise<string> {
  const program = fileURLToPath(new URL("crashing-order.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, key, orderId, when], {
    stdio: ["ignore", "ignore", "inherit"],
    timeout: 20_000,
  });
  const end = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const left = await inProgress(tables);
  return `${end}; left ${left?.["status"]?.S ?? "no record"} (attempt ${left?.["attempt"]?.N ?? "-"})`;
}

/** Waits until the lock that a dead process has left is over. */
export async function lockLapses(tables: Tables): Promise<void> {
  const left = await inProgress(tables);
  await pause(Math.max(0, Number(left?.["lockedUntil"]?.N ?? 0) - Date.now() + 50));
}

const inProgress = async (tables: Tables) => (await tables.records()).find(({ status }) => status?.S === "IN_PROGRESS");
