import { describe, expect, it } from "vitest";
import { settled } from "../../../infra/demo/sender.ts";
import { added, NOTHING, ONE_ORDER, type Service } from "./kit.ts";

/** One order from its token to its money, step after step: each test goes on where the one before it has ended. */
export function describeOrderLife(at: () => Service): void {
  let token = "";
  let id = "";
  let delivery = settled("");
  const change = (note: string, ifMatch?: string) =>
    at().sender.send({
      method: "PUT",
      path: `/orders/${id}`,
      body: { amount: 990, note },
      headers: ifMatch === undefined ? {} : { "if-match": ifMatch },
    });
  const pay = (as?: string) => at().sender.send({ path: `/orders/${id}/pay`, ...(as !== undefined && { as }) });
  const cancel = (key: string) =>
    at().sender.send({ path: `/orders/${id}/cancel`, headers: { "idempotency-key": key } });
  const order = () => at().sender.orderItem(id);

  describe("an order's life, through the front door", () => {
    it("begins with a one-time token, URL-safe and good for a quarter of an hour, of which no table has a trace (M2)", async () => {
      expect(
        await added(at(), async () => {
          const issued = await at().sender.send({ path: "/tokens" });
          expect(issued.status).toBe(201);
          const told = JSON.parse(issued.body) as { token: string; expiresAt: string };
          token = told.token;
          expect(token).toMatch(/^[\w-]{83}$/);
          const left = Date.parse(told.expiresAt) - Date.now();
          expect(left > 14 * 60_000 && left <= 15 * 60_000).toBe(true);
          expect(JSON.stringify(await at().sender.records())).not.toContain(token.slice(0, 32));
        }),
      ).toStrictEqual(NOTHING);
    });

    it("is placed once with the token, for five requests at once and for a later one (M1, M2, M3)", async () => {
      expect(
        await added(at(), async () => {
          const five = await Promise.all(
            Array.from({ length: 5 }, () => at().sender.checkOut(token, { orderId: "life-1" })),
          );
          expect(five.filter(({ status, replayed }) => status === 201 && !replayed)).toHaveLength(1);
          const again = await at().sender.checkOut(token, { orderId: "life-1" });
          expect(again).toMatchObject({ status: 201, replayed: true });
          id = (JSON.parse(again.body) as { orderId: string }).orderId;
          delivery = settled(id);
        }),
      ).toStrictEqual(ONE_ORDER);
    });

    it("is placed by nobody with a forged token or another customer's, without a request to a table, and neither is told which", async () => {
      const before = at().stack.dynamodbCalls.length;
      const forged = await at().sender.checkOut(`${token.slice(0, -2)}__`, { orderId: "life-2" });
      const foreign = await at().sender.checkOut(token, { orderId: "life-2" }, "cus-other");
      const malformed = await at().sender.checkOut("one-time", { orderId: "life-2" });
      expect([forged.status, foreign.status, malformed.status]).toStrictEqual([403, 403, 403]);
      expect(new Set([forged.body, foreign.body, malformed.body]).size).toBe(1);
      expect(at().stack.dynamodbCalls).toHaveLength(before);
    });

    it("is not placed for another body with the used token, nor without a token", async () => {
      expect(
        await added(at(), async () => {
          expect(await at().sender.checkOut(token, { orderId: "life-2" })).toMatchObject({ status: 422 });
          expect(await at().sender.send({ path: "/checkouts", body: { orderId: "life-2" } })).toMatchObject({
            status: 400,
          });
        }),
      ).toStrictEqual(NOTHING);
    });

    it("gives the token back where its number is taken, and takes it for the next number (M2, M3)", async () => {
      const other = await at().sender.token();
      expect(
        await added(at(), async () => {
          const taken = await at().sender.checkOut(other, { orderId: "life-1" });
          expect(taken).toMatchObject({ status: 409, replayed: false });
          expect(taken.body).toContain(id);
          expect(await at().sender.checkOut(other, { orderId: "life-2" })).toMatchObject({ status: 201 });
        }),
      ).toStrictEqual(ONE_ORDER);
    });

    it("changes with the version that was read, and not by the same content (M5, M10)", async () => {
      expect(
        await added(at(), async () => {
          expect(await change("ring twice", '"1"')).toMatchObject({ status: 200, etag: '"2"' });
          const before = await order();
          expect(before?.["version"]).toStrictEqual({ N: "2" });
          expect(await change("ring twice", '"2"')).toMatchObject({ status: 200, etag: '"2"' });
          expect(await order()).toStrictEqual(before);
        }),
      ).toStrictEqual(NOTHING);
    });

    it("does not change with a stale version or none (M5)", async () => {
      const before = await order();
      expect(await change("leave it", '"1"')).toMatchObject({ status: 412, etag: '"2"' });
      expect(await change("leave it")).toMatchObject({ status: 428 });
      expect(await order()).toStrictEqual(before);
    });

    it("can be cancelled, and is not charged, where the provider refused", async () => {
      expect(
        await added(at(), async () => {
          at().provider.refuseNext();
          expect(await pay()).toMatchObject({ status: 402, replayed: false });
          expect((await order())?.["status"]).toStrictEqual({ S: "placed" });
        }),
      ).toStrictEqual(NOTHING);
    });

    it("is charged by the provider once although its function is killed in between, and is neither changed nor cancelled meanwhile (M6, steps)", async () => {
      expect(
        await added(at(), async () => {
          const asked = at().provider.asked();
          const hold = at().provider.holdAnswer();
          const dying = pay();
          await hold.reached;
          // Seen by a reviewer: it was cancelled and charged, or changed and charged with the amount of before.
          const charging = await order();
          expect(await cancel("life-early")).toMatchObject({ status: 409 });
          expect(await change("more", `"${charging?.["version"]?.N}"`)).toMatchObject({ status: 409 });
          expect(await change("more", "*")).toMatchObject({ status: 409 });
          expect(await order()).toStrictEqual(charging);
          expect(at().stack.faults.kill("Orders")).toBe(1);
          hold.release();
          expect((await dying).status).toBe(502);
          expect((await order())?.["status"]).toStrictEqual({ S: "charging" });
          await at().sender.locksLapsed();
          const both = await Promise.all([pay(), pay()]);
          expect(both.map(({ status }) => status)).toStrictEqual([200, 200]);
          expect(both.filter(({ replayed }) => replayed)).toHaveLength(1);
          expect(at().provider.asked() - asked).toBe(2);
        }),
      ).toStrictEqual({ ...NOTHING, ledger: 1, charges: 1 });
      expect((await order())?.["status"]).toStrictEqual({ S: "charged" });
    });

    it("is not to be seen by another customer", async () => {
      expect(await pay("cus-other")).toMatchObject({ status: 404 });
    });

    it("is paid by the provider's webhook, signed, however often it is delivered, and not by a forged one (M11, M18)", async () => {
      const before = await at().sender.records();
      expect(await at().sender.deliver(delivery, Buffer.alloc(48, 7).toString("base64"))).toMatchObject({
        status: 401,
      });
      expect(await at().sender.records()).toHaveLength(before.length);
      expect((await order())?.["status"]).toStrictEqual({ S: "charged" });
      const first = await at().sender.deliver(delivery);
      expect(first).toMatchObject({ status: 200, replayed: false });
      const paid = await order();
      expect(paid?.["status"]).toStrictEqual({ S: "paid" });
      expect(await at().sender.deliver(delivery)).toStrictEqual({ ...first, replayed: true });
      expect(await at().sender.deliver(settled(id))).toMatchObject({ status: 200, replayed: false }); // Reached already.
      expect(await order()).toStrictEqual(paid);
    });

    it("is not cancelled once it is paid: the machine knows no such way (M6)", async () => {
      const before = await order();
      const seen = await cancel("life-cancel");
      expect(seen.status).toBe(409);
      expect(JSON.parse(seen.body)).toMatchObject({ status: "paid" });
      expect(await order()).toStrictEqual(before);
    });
  });
}
