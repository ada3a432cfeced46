import { describe, expect, it } from "vitest";
import { added, NOTHING, ONE_ORDER, runsOf, type Service } from "./kit.ts";

/** `POST /orders`: order, guard, ledger and answer commit together, whatever is lost or killed. */
export function describeOrders(at: () => Service): void {
  const order = (key: string | undefined, orderId = `ord-${key}`) => at().sender.order(key, { orderId });
  const runs = () => runsOf(at(), "Orders");

  describe("POST /orders, through the front door", () => {
    it("orders once, and answers a retry with the same bytes from a warm environment", async () => {
      expect(
        await added(at(), async () => {
          const first = await order("once");
          expect(first).toMatchObject({ status: 201, replayed: false, etag: '"1"' });
          expect(await order("once")).toStrictEqual({ ...first, replayed: true });
        }),
      ).toStrictEqual(ONE_ORDER);
      const [cold, warm] = runs().slice(-2);
      expect([cold?.outcome, warm?.outcome, warm?.cold]).toStrictEqual(["ok", "ok", false]);
    });

    it("orders once for ten equal requests at once, in as many environments as it takes", async () => {
      const ten = () => Promise.all(Array.from({ length: 10 }, () => order("ten")));
      expect(
        await added(at(), async () => {
          const seen = await ten();
          expect(seen.filter(({ status, replayed }) => status === 201 && !replayed)).toHaveLength(1);
          expect(seen.filter(({ status, replayed }) => status === 409 || replayed)).toHaveLength(9);
        }),
      ).toStrictEqual(ONE_ORDER);
      const again = await ten();
      expect(new Set(again.map(({ status, body, replayed }) => `${status} ${body} ${replayed}`)).size).toBe(1);
    });

    it("orders once for ten requests with keys of their own for one order number", async () => {
      expect(
        await added(at(), async () => {
          const seen = await Promise.all(Array.from({ length: 10 }, (_, n) => order(`number-${n}`, "ord-number")));
          expect(seen.map(({ status }) => status).sort()).toStrictEqual([201, ...Array(9).fill(409)]);
        }),
      ).toStrictEqual(ONE_ORDER);
    });

    it("runs in a cold environment when all warm ones are busy", async () => {
      const held = at().stack.faults.hold("PutItem", "response");
      const first = order("cold-1");
      await held.reached;
      const before = runs().length;
      expect(await order("cold-2")).toMatchObject({ status: 201 });
      held.release();
      expect(await first).toMatchObject({ status: 201 });
      expect(runs().length - before).toBe(2);
    });

    it.each([
      ["claim", "PutItem"],
      ["commit", "TransactWriteItems"],
    ])(
      "recognises its own %s when DynamoDB's answer is lost and the SDK sends it again (P9)",
      async (what, operation) => {
        expect(
          await added(at(), async () => {
            at().stack.faults.dropResponse(operation);
            expect(await order(`lost-${what}`)).toMatchObject({ status: 201, replayed: false });
          }),
        ).toStrictEqual(ONE_ORDER);
      },
    );

    it("answers 422 for another order under the same key, and changes nothing", async () => {
      const first = await order("reused");
      expect(
        await added(at(), async () => {
          expect(await order("reused", "ord-other")).toMatchObject({ status: 422, replayed: false });
        }),
      ).toStrictEqual(NOTHING);
      expect(await order("reused")).toStrictEqual({ ...first, replayed: true });
    });

    it("answers in time although its commit hangs on the way (P10), and orders once when that arrives late", async () => {
      expect(
        await added(at(), async () => {
          const held = at().stack.faults.hold("TransactWriteItems");
          expect(await order("hangs")).toMatchObject({ status: 201, replayed: false }); // By the same transaction, sent again.
          held.release();
          expect(await order("hangs")).toMatchObject({ status: 201, replayed: true });
        }),
      ).toStrictEqual(ONE_ORDER);
    });

    it("is refused by API Gateway without a key, and by the authorizer without a token", async () => {
      const before = runs().length;
      expect(await order(undefined)).toMatchObject({ status: 400 });
      expect((await fetch(`${at().stack.apiUrl}/orders`, { method: "POST", body: "{}" })).status).toBe(401);
      expect(runs()).toHaveLength(before);
    });

    it("is killed by its timeout before the commit, refused while locked, and taken over after that", async () => {
      expect(
        await added(at(), async () => {
          const commit = at().stack.faults.hold("TransactWriteItems");
          const dying = order("timeout");
          await commit.reached;
          expect(at().stack.faults.freeze("Orders", 10_000)).toBe(1);
          expect((await dying).status).toBe(502);
          commit.drop();
          expect(runs().at(-1)?.outcome).toBe("timeout");
          expect((await order("timeout")).status).toBe(409);
          await at().sender.locksLapsed();
          expect(await order("timeout")).toMatchObject({ status: 201, replayed: false });
        }),
      ).toStrictEqual(ONE_ORDER);
      expect(await order("timeout")).toMatchObject({ status: 201, replayed: true });
    });

    it("is killed right after the commit, and the retry is answered at once", async () => {
      expect(
        await added(at(), async () => {
          const commit = at().stack.faults.hold("TransactWriteItems", "response");
          const dying = order("committed");
          await commit.reached;
          expect(at().stack.faults.kill("Orders")).toBe(1);
          commit.drop();
          expect((await dying).status).toBe(502);
          expect(await order("committed")).toMatchObject({ status: 201, replayed: true });
        }),
      ).toStrictEqual(ONE_ORDER);
    });
  });
}
