import { setTimeout as pause } from "node:timers/promises";
import { idempotentFetch } from "lambda-once/client";
import type { Sender } from "../../../infra/demo/sender.ts";
import type { LocalStack } from "../../../infra/local/stack.ts";
import type { Random } from "../../simulation/random.ts";

/** One business operation, and what each of its clients was answered in the end. */
export interface Operation {
  readonly name: string;
  readonly answers: readonly { readonly status: number; readonly body: string }[];
}

/** What all clients together have asked for, and were answered. */
export interface Load {
  readonly orders: readonly Operation[];
  readonly payments: readonly Operation[];
  /** Payments that were sent to the queue, each in several messages. */
  readonly queued: readonly string[];
  /** How often requests were sent, and how often of these again. */
  readonly requests: number;
  readonly repetitions: number;
}

/** Clients of each operation at the same time. */
const CLIENTS = 2;

/**
 * Customers at work until `isOver` says so: each places an order, pays it and sends a payment to the queue, each of it
 * from several clients that ask with the same key until they are answered, and goes on with the next.
 */
export async function customers(
  stack: LocalStack,
  sender: Sender,
  { count, random, isOver }: { readonly count: number; readonly random: Random; readonly isOver: () => boolean },
): Promise<Load> {
  const orders: Operation[] = [];
  const payments: Operation[] = [];
  const queued: string[] = [];
  let [requests, repetitions, placed] = [0, 0, 0];
  const post = idempotentFetch({
    ...{ attempts: 1_000, backoff: 200, maxBackoff: 1_000, deadline: { minutes: 5 }, body: "whole" },
    fetch(input, init) {
      requests += 1;
      return fetch(input, init);
    },
    onRetry() {
      repetitions += 1;
    },
  });

  /** The same from several clients, one a little after the other. */
  async function fromAll(name: string, path: string, body: object, key?: string): Promise<Operation> {
    const headers = {
      authorization: `Bearer ${sender.bearer}`,
      "content-type": "application/json",
      ...(key !== undefined && { "idempotency-key": key }),
    };
    const delays = Array.from({ length: CLIENTS }, (_, client) => client * random.int(0, 300));
    const answers = await Promise.all(
      delays.map(async (delay) => {
        await pause(delay);
        const response = await post(`${stack.apiUrl}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
        return { status: response.status, body: await response.text() };
      }),
    );
    return { name, answers };
  }

  async function customer(): Promise<void> {
    while (!isOver()) {
      const number = ++placed;
      const order = await fromAll(
        `order ${number}`,
        "/orders",
        { orderId: `ord-${number}`, amount: 100 + number },
        `key-${number}`,
      );
      orders.push(order);
      const paymentId = `pay-${number}`;
      queued.push(paymentId);
      const message = JSON.stringify({ paymentId, amount: 100 + number });
      for (let client = 0; client < CLIENTS; client++) await sender.payment(message);
      const { orderId } = JSON.parse(order.answers[0]?.body ?? "{}") as { orderId?: string };
      payments.push(await fromAll(`payment of order ${number}`, `/orders/${orderId}/pay`, {}));
    }
  }

  await Promise.all(Array.from({ length: count }, customer));
  return { orders, payments, queued, requests, repetitions };
}
