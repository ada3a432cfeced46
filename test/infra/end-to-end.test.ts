import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { idempotentFetch } from "lambda-once/client";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startPaymentProvider } from "../../infra/demo/provider.ts";
import { senderTo } from "../../infra/demo/sender.ts";
import { startStack } from "../../infra/local/stack.ts";
import { synthesize } from "../../infra/local/synth.ts";
import { type Fate, lossyProxy } from "../support/lossy-proxy.ts";
import { added, type Service } from "./front-door/kit.ts";
import { describeOrderLife } from "./front-door/order-life.ts";
import { describeOrders } from "./front-door/orders.ts";
import { describePayments } from "./front-door/payments.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

const cdkOut = mkdtempSync(join(tmpdir(), "lambda-once-e2e-"));
let service: Service;

beforeAll(async () => {
  synthesize(cdkOut, () => {});
  const provider = await startPaymentProvider();
  // A dead function's lock lapses five seconds after the function could have run.
  const stack = await startStack({ cdkOut, timeout: 2, environment: { PAYMENT_PROVIDER_URL: provider.url } });
  service = { stack, provider, sender: senderTo(stack) };
});
afterAll(async () => {
  await service?.stack.stop();
  await service?.provider.close();
  rmSync(cdkOut, { recursive: true, force: true });
});

describeOrders(() => service);
describeOrderLife(() => service);
describePayments(() => service);

describe("a client that asks until it knows (M19)", () => {
  it("has each of 200 orders placed exactly once, whatever is lost on the way there and back", async () => {
    const { stack, sender } = service;
    const fates: readonly Fate[] = ["passes", "answer lost on the way back", "lost on the way there"];
    const proxy = await lossyProxy(stack.apiUrl, (request) => fates[request % 3] ?? "passes");
    const post = idempotentFetch({ backoff: 20, maxBackoff: 200, deadline: { seconds: 50 }, attempts: 50 });
    const url = `${proxy.origin}${new URL(stack.apiUrl).pathname}/orders`;
    const place = async (at: number) => {
      const response = await post(url, {
        method: "POST",
        headers: { authorization: `Bearer ${sender.bearer}`, "content-type": "application/json" },
        body: JSON.stringify({ orderId: `ord-lossy-${at}`, amount: 100 }),
      });
      return { status: response.status, replayed: response.replayed, body: await response.text() };
    };
    try {
      const placed: Awaited<ReturnType<typeof place>>[] = [];
      const counts = await added(service, async () => {
        for (let at = 0; at < 200; at += 10) {
          placed.push(...(await Promise.all(Array.from({ length: 10 }, (_, more) => place(at + more)))));
        }
      });
      expect(placed.filter(({ status }) => status !== 201)).toStrictEqual([]);
      expect(placed.some(({ replayed }) => replayed)).toBe(true);
      expect(counts).toStrictEqual({ orders: 200, guards: 200, ledger: 200, charges: 0 });
      expect(new Set(placed.map(({ body }) => body)).size).toBe(200);
    } finally {
      await proxy.close();
    }
  });
});
