import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { idempotentFetch } from "lambda-once/client";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Sender, senderTo, until } from "../../infra/demo/sender.ts";
import { type LocalStack, startStack } from "../../infra/local/stack.ts";
import { synthesize } from "../../infra/local/synth.ts";
import { type Fate, lossyProxy } from "../support/lossy-proxy.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

const cdkOut = mkdtempSync(join(tmpdir(), "lambda-once-e2e-"));
let stack: LocalStack;
let sender: Sender;

beforeAll(async () => {
  synthesize(cdkOut, () => {});
  // A dead function's lock lapses five seconds after the function could have run.
  stack = await startStack({ cdkOut, timeout: 2 });
  sender = senderTo(stack);
});
afterAll(async () => {
  await stack?.stop();
  rmSync(cdkOut, { recursive: true, force: true });
});

const runsOf = (name: string) => stack.invocations.filter((one) => one.function.startsWith(name));

describe("POST /orders, through the front door", () => {
  it("books once, and answers a retry with the same bytes from a warm environment", async () => {
    const before = await sender.booked();
    const first = await sender.order("once", { orderId: "ord-once" });
    const retry = await sender.order("once", { orderId: "ord-once" });
    expect(first).toMatchObject({ status: 201, replayed: false });
    expect(retry).toStrictEqual({ ...first, replayed: true });
    expect((await sender.booked()) - before).toBe(1);
    const [cold, warm] = runsOf("Orders").slice(-2);
    expect([cold?.outcome, warm?.outcome, warm?.cold]).toStrictEqual(["ok", "ok", false]);
  });

  it("books once for ten equal requests at once, in as many environments as it takes", async () => {
    const before = await sender.booked();
    const order = () => sender.order("ten", { orderId: "ord-ten" });
    const seen = await Promise.all(Array.from({ length: 10 }, order));
    expect((await sender.booked()) - before).toBe(1);
    expect(seen.filter(({ status, replayed }) => status === 201 && !replayed)).toHaveLength(1);
    expect(seen.filter(({ status, replayed }) => status === 409 || replayed)).toHaveLength(9);
    const again = await Promise.all(Array.from({ length: 10 }, order));
    expect(new Set(again.map(({ status, body, replayed }) => `${status} ${body} ${replayed}`)).size).toBe(1);
  });

  it("runs in a cold environment when all warm ones are busy", async () => {
    const held = stack.faults.hold("PutItem", "response");
    const first = sender.order("cold-1", { orderId: "ord-cold-1" });
    await held.reached;
    const before = runsOf("Orders").length;
    expect(await sender.order("cold-2", { orderId: "ord-cold-2" })).toMatchObject({ status: 201 });
    held.release();
    expect(await first).toMatchObject({ status: 201 });
    expect(runsOf("Orders").length - before).toBe(2);
  });

  it("recognises its own claim when DynamoDB's answer is lost and the SDK sends it again (P9)", async () => {
    const before = await sender.booked();
    stack.faults.dropResponse("PutItem");
    expect(await sender.order("lost", { orderId: "ord-lost" })).toMatchObject({ status: 201, replayed: false });
    expect((await sender.booked()) - before).toBe(1);
  });

  it("answers 422 for another order under the same key, and changes nothing", async () => {
    const first = await sender.order("reused", { orderId: "ord-reused" });
    expect(await sender.order("reused", { orderId: "ord-other" })).toMatchObject({ status: 422, replayed: false });
    expect(await sender.order("reused", { orderId: "ord-reused" })).toStrictEqual({ ...first, replayed: true });
  });

  it("gives the true answer in time when storing it hangs (P10), and runs no second time", async () => {
    const before = await sender.booked();
    const held = stack.faults.hold("UpdateItem");
    expect(await sender.order("hangs", { orderId: "ord-hangs" })).toMatchObject({ status: 201, replayed: false });
    held.drop();
    // Held, or stored after all by the SDK's own retry once the environment goes on.
    const again = await sender.order("hangs", { orderId: "ord-hangs" });
    expect(again.status === 409 || again.replayed).toBe(true);
    expect((await sender.booked()) - before).toBe(1);
  });

  it("is refused by API Gateway without a key, and by the authorizer without a token", async () => {
    const before = runsOf("Orders").length;
    expect(await sender.order(undefined, {})).toMatchObject({ status: 400 });
    expect((await fetch(`${stack.apiUrl}/orders`, { method: "POST", body: "{}" })).status).toBe(401);
    expect(runsOf("Orders")).toHaveLength(before);
  });

  it("is killed in the middle by its timeout, refused while locked, and taken over after that", async () => {
    const before = await sender.booked();
    const claim = stack.faults.hold("PutItem", "response");
    const dying = sender.order("timeout", { orderId: "ord-timeout" });
    await claim.reached;
    const booking = stack.faults.hold("PutItem", "response");
    claim.release();
    expect((await dying).status).toBe(502); // It has booked, and does not know.
    booking.drop();
    expect(runsOf("Orders").at(-1)?.outcome).toBe("timeout");
    expect((await sender.order("timeout", { orderId: "ord-timeout" })).status).toBe(409);
    await sender.locksLapsed();
    expect(await sender.order("timeout", { orderId: "ord-timeout" })).toMatchObject({ status: 201, replayed: false });
    expect(runsOf("Orders").at(-1)).toMatchObject({ outcome: "ok" });
    expect((await sender.booked()) - before).toBe(1); // As attempt 2 it has looked in the ledger.
    expect(await sender.order("timeout", { orderId: "ord-timeout" })).toMatchObject({ status: 201, replayed: true });
  });
});

describe("a client that asks until it knows (M19)", () => {
  it("has each of 200 orders booked exactly once, whatever is lost on the way there and back", async () => {
    const before = await sender.booked();
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
      for (let at = 0; at < 200; at += 10) {
        placed.push(...(await Promise.all(Array.from({ length: 10 }, (_, more) => place(at + more)))));
      }
      expect(placed.filter(({ status }) => status !== 201)).toStrictEqual([]);
      expect(placed.some(({ replayed }) => replayed)).toBe(true);
      expect((await sender.booked()) - before).toBe(200);
      expect(new Set(placed.map(({ body }) => body)).size).toBe(200);
    } finally {
      await proxy.close();
    }
  });
});

describe("the queue payments", () => {
  const payment = (paymentId: string) => JSON.stringify({ paymentId, amount: 5590 });

  it("books once for a payment that its sender sends twice", async () => {
    const before = await sender.booked();
    for (const _ of ["first", "second"]) {
      const handled = runsOf("Payments").length;
      await sender.payment(payment("pay-twice"));
      await until(() => runsOf("Payments").length > handled);
    }
    expect((await sender.booked()) - before).toBe(1);
  });

  it("books once for a message that is delivered again after its function was killed", async () => {
    const before = await sender.booked();
    const held = stack.faults.hold("UpdateItem");
    await sender.payment(payment("pay-killed"));
    await held.reached;
    expect(stack.faults.kill("Payments")).toBe(1);
    held.drop();
    await sender.locksLapsed();
    const handled = () => runsOf("Payments").filter(({ outcome }) => outcome === "ok").length;
    const ok = handled();
    await until(async () => {
      await stack.faults.redeliver("PaymentQueue");
      return handled() > ok;
    });
    expect((await sender.booked()) - before).toBe(1);
  });

  it("sets a message that always fails aside in the dead-letter queue", async () => {
    const before = await sender.deadLetters();
    const received = runsOf("Payments").length;
    await sender.payment("not JSON");
    await until(async () => {
      await stack.faults.redeliver("PaymentQueue");
      return (await sender.deadLetters()) > before;
    });
    expect(runsOf("Payments").length - received).toBe(5);
  });
});
