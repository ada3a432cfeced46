import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One charge of the stand-in. */
export interface Charged {
  readonly chargeId: string;
  readonly orderId: string;
  readonly amount: number;
  readonly idempotencyKey: string;
}

/** A payment provider that runs here: it honours idempotency keys, and remembers what it did. */
export interface PaymentProvider {
  readonly url: string;
  /** What it has charged: one for each key, however often it was asked. */
  readonly charges: readonly Charged[];
  /** How often it was asked. */
  asked(): number;
  /** Makes the next answer wait until the returned function is called; `reached` when the charge is made. */
  holdAnswer(): { readonly reached: Promise<void>; release(): void };
  /** Makes it refuse the next charge. */
  refuseNext(): void;
  close(): Promise<void>;
}

/** Starts the stand-in on a free port of this machine. */
export async function startPaymentProvider(): Promise<PaymentProvider> {
  const charges = new Map<string, Charged>();
  const holds: { reach(): void; readonly released: Promise<void> }[] = [];
  let [asked, refusals] = [0, 0];

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const key = request.headers["idempotency-key"];
    if (request.method !== "POST" || request.url !== "/charges" || typeof key !== "string") {
      response.writeHead(400).end();
      return;
    }
    asked += 1;
    if (refusals > 0) {
      refusals -= 1;
      response.writeHead(402).end();
      return;
    }
    const { orderId, amount } = JSON.parse(Buffer.concat(chunks).toString()) as { orderId: string; amount: number };
    const made = charges.get(key) ?? { chargeId: `ch-${randomUUID()}`, orderId, amount, idempotencyKey: key };
    charges.set(key, made);
    const hold = holds.shift();
    hold?.reach();
    await hold?.released;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ chargeId: made.chargeId }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get charges() {
      return [...charges.values()];
    },
    asked: () => asked,
    holdAnswer() {
      let reach = (): void => undefined;
      let release = (): void => undefined;
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      holds.push({ reach: () => reach(), released });
      return { reached, release: () => release() };
    },
    refuseNext() {
      refusals += 1;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
