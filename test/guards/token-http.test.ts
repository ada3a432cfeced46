import { describe, expect, it } from "vitest";
import { created, FRONT_ENDS, problemOf } from "../lambda/http/kit.ts";
import { failed, OPERATION, secret, tokenEndpoint } from "./token-kit.ts";

describe.each(FRONT_ENDS)("a one-time token under %s", (name, make) => {
  const operation = name === "the decorator" ? `${OPERATION}.handle` : OPERATION;
  const open = (options = {}, more = {}) => tokenEndpoint(options, { make, ...more });
  const issue = (at: ReturnType<typeof open>, principal = "ann") => at.issue(principal, { operation });

  it("runs the first request and answers the next from the record (bad input: used)", async () => {
    const at = open();
    const oneTime = await issue(at);
    expect((await at.redeem(oneTime)).raw).toStrictEqual(created);
    const again = await at.redeem(oneTime);
    expect([again.status, again.body, again.headers["idempotent-replayed"]]).toStrictEqual([201, created.body, "true"]);
    expect(at.handler).toHaveBeenCalledTimes(1);
    expect(at.store.records()).toMatchObject([{ status: "COMPLETED", attempt: 1 }]);
  });

  it("that was used is answered 409 under whenCompleted 'reject' (bad input: used)", async () => {
    const at = open({}, { whenCompleted: "reject" });
    const oneTime = await issue(at);
    expect((await at.redeem(oneTime)).status).toBe(201);
    const again = await at.redeem(oneTime);
    expect([again.status, problemOf(again)["code"]]).toStrictEqual([409, "duplicate"]);
    expect(at.handler).toHaveBeenCalledTimes(1);
  });

  it("is redeemed in one request, before the handler runs", async () => {
    const at = open();
    const oneTime = await issue(at);
    let before: readonly string[] = [];
    at.handler.mockImplementationOnce(async () => {
      before = [...at.asked];
      return created;
    });
    await at.redeem(oneTime);
    expect([before, at.asked]).toStrictEqual([["claim"], ["claim", "complete"]]);
  });

  it("that is missing is 400, and says what to send (M2, missing)", async () => {
    const at = open();
    for (const key of ["-", "", '""']) {
      const answer = await at.send({ headers: { "Idempotency-Key": key } });
      expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([400, "key_missing"]);
    }
    const { detail } = problemOf(await at.send({ headers: { "Idempotency-Key": "-" } }));
    expect(detail).toMatch(/one-time token in the header Idempotency-Key/);
    expect([at.asked, at.handler.mock.calls.length]).toStrictEqual([[], 0]);
  });

  it("that is forged, malformed, another user's or another operation's is 403 without a request to the store, and not told which (bad input: unknown, of another user or operation)", async () => {
    const at = open();
    const mine = await issue(at);
    const refused = [
      await at.redeem("made-up"),
      await at.redeem("x".repeat(83)),
      await at.redeem(mine.slice(0, -1) + (mine.endsWith("A") ? "B" : "A")),
      await at.redeem(mine, { user: "bob" }),
      await at.redeem(await at.issue("ann", { operation: "refunds" })),
      await at.redeem(await at.issue("ann", { operation, secrets: [secret()] })),
    ];
    expect(refused.map(({ status }) => status)).toStrictEqual(Array(refused.length).fill(403));
    expect(new Set(refused.map(({ body, headers }) => JSON.stringify([body, headers]))).size).toBe(1);
    expect(problemOf(refused[0] as never)).toMatchObject({
      code: "token_invalid",
      detail: "The token is not valid for this.",
    });
    expect([at.asked, at.handler.mock.calls.length]).toStrictEqual([[], 0]);
    expect((await at.redeem(mine)).status).toBe(201);
  });

  it("that was used with another body is 422, and the record is unchanged (bad input: used with another body)", async () => {
    const at = open();
    const oneTime = await issue(at);
    await at.redeem(oneTime);
    const before = at.store.records();
    const answer = await at.redeem(oneTime, { body: '{"sku":"b"}' });
    expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([422, "key_reused"]);
    expect(at.store.records()).toStrictEqual(before);
    expect(at.handler).toHaveBeenCalledTimes(1);
  });

  it("is given back by a business failure, and takes a mended request then (M2, compensation)", async () => {
    const at = open();
    const oneTime = await issue(at);
    const expiresAt = at.store.records()[0]?.expiresAt;
    at.handler.mockResolvedValueOnce(failed);
    expect((await at.redeem(oneTime)).status).toBe(409);
    expect(at.store.records()).toMatchObject([{ status: "ISSUED", attempt: 0, expiresAt, fingerprint: undefined }]);
    const mended = await at.redeem(oneTime, { body: '{"sku":"b"}' });
    expect([mended.status, mended.headers["idempotent-replayed"]]).toStrictEqual([201, undefined]);
    expect((await at.redeem(oneTime, { body: '{"sku":"b"}' })).headers["idempotent-replayed"]).toBe("true");
    expect(at.handler).toHaveBeenCalledTimes(2);
  });

  it("is given back by a handler that throws", async () => {
    const at = open();
    const oneTime = await issue(at);
    at.handler.mockRejectedValueOnce(new Error("sold out"));
    await expect(at.redeem(oneTime)).rejects.toThrow("sold out");
    expect((await at.redeem(oneTime)).status).toBe(201);
  });

  it("of a request that changes nothing is not looked at (GET)", async () => {
    const at = open();
    const oneTime = await issue(at);
    for (const key of [oneTime, "made-up", "-"]) {
      expect((await at.send({ method: "GET", headers: { "Idempotency-Key": key } })).status).toBe(201);
    }
    expect(at.asked).toStrictEqual([]);
    expect((await at.redeem(oneTime)).headers["idempotent-replayed"]).toBeUndefined();
  });

  it("that is being used is 409 with Retry-After, and runs once of ten at once", async () => {
    const at = open();
    const oneTime = await issue(at);
    const ten = await Promise.all(Array.from({ length: 10 }, () => at.redeem(oneTime)));
    expect(at.handler).toHaveBeenCalledTimes(1);
    for (const { status, headers } of ten) {
      if (status === 409) expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
      else expect(status).toBe(201);
    }
  });
});
