import { describe, expect, it, vi } from "vitest";
import { currentClaim } from "../../src/index.ts";
import { created, problemOf } from "../lambda/http/kit.ts";
import { failed, tokenEndpoint } from "./token-kit.ts";

describe("a one-time token and the time", () => {
  it("that ended unused is 403, told apart to its rightful user alone (bad input: expired)", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    at.store.advance({ minutes: 16 });
    const answer = await at.redeem(oneTime);
    expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([403, "token_invalid"]);
    expect(problemOf(answer)["detail"]).toBe("The token has ended; ask for a new one.");
    expect(at.asked).toStrictEqual(["claim"]);
    const stranger = await at.redeem(oneTime, { user: "bob" });
    expect(problemOf(stranger)["detail"]).toBe("The token is not valid for this.");
    expect(at.asked).toStrictEqual(["claim"]);
    expect(at.handler).not.toHaveBeenCalled();
  });

  it("that was used before its end is replayed after it, for as long as its answer is kept: a first answer may be lost", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    at.store.advance({ minutes: 14.5 });
    await at.redeem(oneTime);
    for (const minutes of [10, 30, 19]) {
      at.store.advance({ minutes });
      expect((await at.redeem(oneTime)).headers["idempotent-replayed"]).toBe("true");
    }
    at.store.advance({ minutes: 1, seconds: 1 }); // 74.5 minutes after its issue: the answer is an hour old.
    expect(problemOf(await at.redeem(oneTime))["code"]).toBe("token_invalid");
    expect(at.handler).toHaveBeenCalledTimes(1);
  });

  it("is not looked up any more once its end and the retention have passed", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    await at.redeem(oneTime);
    at.store.advance({ minutes: 74.9 });
    const before = at.asked.length;
    await at.redeem(oneTime);
    expect(at.asked.length).toBeGreaterThan(before);
    at.store.advance({ minutes: 0.2 });
    const asked = [...at.asked];
    const answer = await at.redeem(oneTime);
    expect([answer.status, problemOf(answer)["detail"]]).toStrictEqual([
      403,
      "The token has ended; ask for a new one.",
    ]);
    expect(at.asked).toStrictEqual(asked);
  });

  it("that outlives its answer runs no second time", async () => {
    const at = tokenEndpoint({}, { expiresAfter: { minutes: 1 } });
    const oneTime = await at.issue();
    await at.redeem(oneTime);
    at.store.advance({ minutes: 5 });
    expect((await at.redeem(oneTime)).status).toBe(403);
    expect(at.handler).toHaveBeenCalledTimes(1);
  });

  it("that is given back after its end has ended", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    at.handler.mockImplementationOnce(async () => {
      at.store.advance({ minutes: 16 });
      return failed;
    });
    expect((await at.redeem(oneTime)).status).toBe(409);
    expect(problemOf(await at.redeem(oneTime))["code"]).toBe("token_invalid");
    expect(at.handler).toHaveBeenCalledTimes(1);
  });
});

describe("a one-time token and a crash", () => {
  /** An execution whose process dies before it can say anything to the store. */
  async function crashed(at: ReturnType<typeof tokenEndpoint>, oneTime: string): Promise<void> {
    at.handler.mockImplementationOnce(async () => {
      at.store.crash(String(currentClaim().id));
      return created;
    });
    await at.redeem(oneTime);
  }

  it("stays claimed until the lock lapses, and then the next may take over", async () => {
    const at = tokenEndpoint({}, { lockFor: { seconds: 30 } });
    const oneTime = await at.issue();
    let finish: (value: unknown) => void = () => {};
    at.handler.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)));
    const hanging = at.redeem(oneTime);
    await vi.waitFor(() => expect(at.handler).toHaveBeenCalledTimes(1));
    at.store.advance({ seconds: 29 });
    expect(problemOf(await at.redeem(oneTime))["code"]).toBe("in_progress");
    at.store.advance({ seconds: 2 });
    expect((await at.redeem(oneTime)).status).toBe(201);
    expect(at.store.records()).toMatchObject([{ status: "COMPLETED", attempt: 2 }]);
    finish({ ...created, body: '{"id":2}' });
    expect((await hanging).body).toBe(created.body); // The successor's answer is the operation's.
    expect(at.handler).toHaveBeenCalledTimes(2);
  });

  // Seen in the simulation, seed 19526: where answers are kept for less long than tokens, a crash ended the token early.
  it("can be redeemed until its end, also where answers are kept for a shorter time", async () => {
    const at = tokenEndpoint({}, { expiresAfter: { seconds: 70 }, lockFor: { seconds: 30 } });
    const oneTime = await at.issue();
    await crashed(at, oneTime);
    at.store.advance({ minutes: 14 });
    expect((await at.redeem(oneTime)).status).toBe(201);
    expect(at.store.records()).toMatchObject([{ status: "COMPLETED", attempt: 2 }]);
  });

  it("is finished by the same request alone, and after its end too: it was redeemed in time", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    await crashed(at, oneTime);
    expect((await at.redeem(oneTime, { body: '{"sku":"b"}' })).status).toBe(422);
    at.store.advance({ minutes: 20 });
    expect((await at.redeem(oneTime)).status).toBe(201);
    expect(at.store.records()).toMatchObject([{ status: "COMPLETED", attempt: 2 }]);
  });

  it("whose second attempt fails is known to have been tried, and ends when it would have ended", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    const expiresAt = at.store.records()[0]?.expiresAt;
    await crashed(at, oneTime);
    at.handler.mockResolvedValueOnce(failed);
    expect((await at.redeem(oneTime)).status).toBe(409);
    expect(at.store.records()).toMatchObject([{ status: "RELEASED", attempt: 2, expiresAt }]);
    let attempt = 0;
    at.handler.mockImplementationOnce(async () => {
      attempt = currentClaim().attempt;
      return created;
    });
    expect((await at.redeem(oneTime)).status).toBe(201);
    expect(attempt).toBe(3);
  });

  it("waits for an operator under whenAbandoned 'reject'", async () => {
    const at = tokenEndpoint({}, { whenAbandoned: "reject" });
    const oneTime = await at.issue();
    await crashed(at, oneTime);
    expect(problemOf(await at.redeem(oneTime))["code"]).toBe("abandoned");
    expect(at.store.records()).toMatchObject([{ status: "IN_PROGRESS", expiresAt: undefined }]);
  });

  it("keeps the steps of an attempt that failed, for the same request alone", async () => {
    const at = tokenEndpoint();
    const charge = vi.fn(async () => "ch-1");
    const charging = (answer: unknown) => async () => {
      await currentClaim().step("charge", charge);
      return answer;
    };
    const oneTime = await at.issue();
    at.handler.mockImplementationOnce(charging(failed));
    expect((await at.redeem(oneTime)).status).toBe(409);
    expect(at.store.records()).toMatchObject([{ status: "RELEASED", attempt: 1 }]);
    expect((await at.redeem(oneTime, { body: '{"sku":"b"}' })).status).toBe(422);
    at.handler.mockImplementationOnce(charging(created));
    expect((await at.redeem(oneTime)).status).toBe(201);
    expect(charge).toHaveBeenCalledTimes(1);
  });

  it("is known to be given back where the answer to that was lost", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    at.handler.mockResolvedValueOnce(failed);
    at.store.failNext("release", { reason: "timeout", responseLost: true });
    await at.redeem(oneTime);
    expect(at.asked).toStrictEqual(["claim", "release", "release"]);
    expect(at.events.map(({ type }) => type)).toStrictEqual(["claimed", "released"]);
    expect(at.store.records()).toMatchObject([{ status: "ISSUED", attempt: 0 }]);
  });

  it("is given back where the answer of its redemption was lost, and nothing has run", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    at.store.failNext("claim", { responseLost: true });
    expect((await at.redeem(oneTime)).status).toBe(503);
    expect(at.handler).not.toHaveBeenCalled();
    expect((await at.redeem(oneTime)).status).toBe(201);
  });
});
