import { describe, expect, it } from "vitest";
import { until } from "../../../infra/demo/sender.ts";
import { runsOf, type Service } from "./kit.ts";

/** The queue `payments`: the entry in the ledger commits with the record. */
export function describePayments(at: () => Service): void {
  const payment = (paymentId: string) => JSON.stringify({ paymentId, amount: 5590 });
  const runs = () => runsOf(at(), "Payments");

  describe("the queue payments", () => {
    it("books once for a payment that its sender sends twice", async () => {
      const before = await at().sender.booked();
      for (const _ of ["first", "second"]) {
        const handled = runs().length;
        await at().sender.payment(payment("pay-twice"));
        await until(() => runs().length > handled);
      }
      expect((await at().sender.booked()) - before).toBe(1);
    });

    it.each([
      ["before its commit", "request"],
      ["after its commit", "response"],
    ] as const)(
      "books once for a message that is delivered again after its function was killed %s",
      async (_, held) => {
        const before = await at().sender.booked();
        const commit = at().stack.faults.hold("TransactWriteItems", held);
        await at().sender.payment(payment(`pay-killed-${held}`));
        await commit.reached;
        expect(at().stack.faults.kill("Payments")).toBe(1);
        commit.drop();
        expect((await at().sender.booked()) - before).toBe(held === "request" ? 0 : 1);
        await at().sender.locksLapsed();
        const handled = () => runs().filter(({ outcome }) => outcome === "ok").length;
        const ok = handled();
        await until(async () => {
          await at().stack.faults.redeliver("PaymentQueue");
          return handled() > ok;
        });
        expect((await at().sender.booked()) - before).toBe(1);
      },
    );

    it("sets a message that always fails aside in the dead-letter queue", async () => {
      const before = await at().sender.deadLetters();
      const received = runs().length;
      await at().sender.payment("not JSON");
      await until(async () => {
        await at().stack.faults.redeliver("PaymentQueue");
        return (await at().sender.deadLetters()) > before;
      });
      expect(runs().length - received).toBe(5);
    });
  });
}
