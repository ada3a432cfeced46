import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type AttributeValue, GetItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
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
  readonly etag: string | undefined;
}

/** A request of a customer's. */
export interface Request {
  readonly method?: "POST" | "PUT";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who sends it. Default: the customer that all others are of. */
  readonly as?: string;
}

/** What the payment provider sends: the same bytes and the same id each time that it delivers again. */
export interface Delivery {
  readonly id: string;
  readonly body: string;
}

/** The world outside of the stack: it sends at the front doors, and looks into the tables past the functions. */
export interface Sender {
  /** The token that it sends. */
  readonly bearer: string;
  /** `POST /orders` as a client sends it, each time a request of its own; without a key where `key` is undefined. */
  order(key: string | undefined, change: Readonly<Record<string, unknown>>): Promise<Seen>;
  /** Any other request. */
  send(request: Request): Promise<Seen>;
  /** `POST /tokens`: a one-time token. */
  token(): Promise<string>;
  /** `POST /checkouts`: an order with a one-time token as its key. */
  checkOut(token: string, change: Readonly<Record<string, unknown>>, as?: string): Promise<Seen>;
  /** `POST /webhooks/payment` as the provider sends it, signed now; `secret` where it is another one's. */
  deliver(delivery: Delivery, secret?: string): Promise<Seen>;
  /** Sends a message to the queue `payments`. */
  payment(body: string): Promise<void>;
  /** The order as it stands in its table. */
  orderItem(id: string): Promise<Item | undefined>;
  /** How many entries the ledger has: each execution of a business effect leaves one. */
  booked(): Promise<number>;
  /** All idempotency records. */
  records(): Promise<readonly Item[]>;
  /** How many messages wait in the dead-letter queue. */
  deadLetters(): Promise<number>;
  /** Waits until no record is locked any more. */
  locksLapsed(): Promise<void>;
}

async function seen(response: Response): Promise<Seen> {
  const { status, headers } = response;
  const replayed = headers.get("idempotent-replayed") === "true";
  return { status, body: await response.text(), replayed, etag: headers.get("etag") ?? undefined };
}

/** A new delivery of the provider's. */
export const settled = (orderId: string): Delivery => ({
  id: `msg_${randomUUID()}`,
  body: JSON.stringify({ type: "payment.settled", orderId }),
});

/** A sender at the front doors of a stack that runs on this machine. */
export function senderTo(stack: LocalStack): Sender {
  const { dynamodb, sqs } = stack.clients;
  const bearerOf = (sub: string): string =>
    signToken({ sub, exp: Math.floor(Date.now() / 1000) + 3600 }, stack.secret("TokenSecret"));
  const bearer = bearerOf("cus-7Qm3");
  const order: object = JSON.parse(readEvent("api-gateway-rest").body ?? "{}");
  const scan = async (TableName: string): Promise<readonly Item[]> => {
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true }));
    return Items;
  };
  const records = (): Promise<readonly Item[]> => scan(stack.tableName("IdempotencyTableName"));

  async function send({ method = "POST", path, body, headers = {}, as }: Request): Promise<Seen> {
    const authorization = `Bearer ${as === undefined ? bearer : bearerOf(as)}`;
    const response = await fetch(`${stack.apiUrl}${path}`, {
      method,
      headers: { authorization, "content-type": "application/json", ...headers },
      body: JSON.stringify(body ?? {}),
    });
    return seen(response);
  }

  return {
    bearer,
    records,
    send,
    order: (key, change) =>
      send({
        path: "/orders",
        body: { ...order, ...change },
        headers: key === undefined ? {} : { "idempotency-key": key },
      }),
    async token() {
      const { status, body } = await send({ path: "/tokens" });
      if (status !== 201) throw new Error(`POST /tokens was answered ${status}`);
      return (JSON.parse(body) as { readonly token: string }).token;
    },
    checkOut: (token, change, as) =>
      send({
        path: "/checkouts",
        body: { ...order, ...change },
        headers: { "idempotency-key": token },
        ...(as !== undefined && { as }),
      }),
    async deliver({ id, body }, secret = stack.secret("WebhookSecret")) {
      const timestamp = String(Math.floor(Date.now() / 1000));
      const mac = createHmac("sha256", Buffer.from(secret, "base64")).update(`${id}.${timestamp}.${body}`);
      const response = await fetch(`${stack.apiUrl}/webhooks/payment`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          "webhook-signature": `v1,${mac.digest("base64")}`,
        },
        body,
      });
      return seen(response);
    },
    async orderItem(id) {
      const TableName = stack.tableName("OrderTableName");
      const { Item } = await dynamodb.send(
        new GetItemCommand({ TableName, Key: { id: { S: id } }, ConsistentRead: true }),
      );
      return Item;
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
