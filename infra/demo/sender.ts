import { setTimeout as pause } from "node:timers/promises";
import { type AttributeValue, ScanCommand } from "@aws-sdk/client-dynamodb";
import { GetQueueAttributesCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import type { LocalStack } from "../local/stack.ts";
import { readEvent } from "./events.ts";
import { signToken } from "./token.ts";

/** An item as DynamoDB has it. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** What the sender of an order was answered. */
export interface Seen {
  readonly status: number;
  readonly body: string;
  /** Whether the answer says of itself that it is a replay. */
  readonly replayed: boolean;
}

/** The world outside of the stack: it sends at the front doors, and looks into the tables past the functions. */
export interface Sender {
  /** The token that it sends. */
  readonly bearer: string;
  /** `POST /orders` as a client sends it, each time a request of its own; without a key where `key` is undefined. */
  order(key: string | undefined, change: Readonly<Record<string, unknown>>): Promise<Seen>;
  /** Sends a message to the queue `payments`. */
  payment(body: string): Promise<void>;
  /** How many entries the ledger has: each execution of a business effect leaves one. */
  booked(): Promise<number>;
  /** All idempotency records. */
  records(): Promise<readonly Item[]>;
  /** How many messages wait in the dead-letter queue. */
  deadLetters(): Promise<number>;
  /** Waits until no record is locked any more. */
  locksLapsed(): Promise<void>;
}

/** A sender at the front doors of a stack that runs on this machine. */
export function senderTo(stack: LocalStack): Sender {
  const { dynamodb, sqs } = stack.clients;
  const bearer = signToken({ sub: "cus-7Qm3", exp: Math.floor(Date.now() / 1000) + 3600 }, stack.secret("TokenSecret"));
  const order: object = JSON.parse(readEvent("api-gateway-rest").body ?? "{}");
  const scan = async (TableName: string): Promise<readonly Item[]> => {
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true }));
    return Items;
  };
  const records = (): Promise<readonly Item[]> => scan(stack.tableName("IdempotencyTableName"));

  return {
    bearer,
    records,
    async order(key, change) {
      const response = await fetch(`${stack.apiUrl}/orders`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${bearer}`,
          "content-type": "application/json",
          ...(key !== undefined && { "idempotency-key": key }),
        },
        body: JSON.stringify({ ...order, ...change }),
      });
      const replayed = response.headers.get("idempotent-replayed") === "true";
      return { status: response.status, body: await response.text(), replayed };
    },
    async payment(MessageBody) {
      await sqs.send(new SendMessageCommand({ QueueUrl: stack.queueUrl("PaymentQueueUrl"), MessageBody }));
    },
    booked: async () => (await scan(stack.tableName("LedgerTableName"))).length,
    async deadLetters() {
      const QueueUrl = stack.queueUrl("PaymentDeadLetterQueueUrl");
      const AttributeNames = ["ApproximateNumberOfMessages" as const];
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
      return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
    },
    async locksLapsed() {
      const ends = (await records()).map(({ lockedUntil }) => Number(lockedUntil?.N ?? 0));
      await pause(Math.max(0, Math.max(0, ...ends) - Date.now()) + 50);
    },
  };
}

/** Waits until `holds` answers true, for half a minute at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("it did not come about in 30 s");
    await pause(20);
  }
}
