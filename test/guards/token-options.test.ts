import { describe, expect, it, vi } from "vitest";
import { issueToken, token } from "../../src/guards.ts";
import { idempotent, memoryStore } from "../../src/index.ts";
import { testingStore } from "../../src/testing.ts";
import { created, problemOf } from "../lambda/http/kit.ts";
import { failed, LIFETIME, SECRETS, secret, tokenEndpoint } from "./token-kit.ts";

describe("a one-time token and options", () => {
  it("is good while its secret is in the list, and not after", async () => {
    const [old, current] = [secret(), secret()];
    const before = tokenEndpoint({ secrets: [old] });
    const oneTime = await before.issue();
    const { store } = before;
    expect((await tokenEndpoint({ secrets: [current] }, { store }).redeem(oneTime)).status).toBe(403);
    expect((await tokenEndpoint({ secrets: [current, old] }, { store }).redeem(oneTime)).status).toBe(201);
  });

  it("is found under a previous secret of the operation, used once, and replayed after the rotation", async () => {
    const [old, current] = [secret(), secret()];
    const issuing = tokenEndpoint({}, { secret: [old] });
    const { store } = issuing;
    const oneTime = await issuing.issue("ann", { secret: [old] } as never);
    const rotated = tokenEndpoint({}, { store, secret: [current, old] });
    expect((await rotated.redeem(oneTime)).status).toBe(201);
    expect(rotated.asked).toStrictEqual(["claim", "claim", "complete"]);
    expect((await rotated.redeem(oneTime)).headers["idempotent-replayed"]).toBe("true");
    expect((await issuing.redeem(oneTime)).headers["idempotent-replayed"]).toBe("true");
    expect([rotated.handler.mock.calls.length, issuing.handler.mock.calls.length]).toStrictEqual([1, 0]);
    expect(store.records()).toHaveLength(1);
    expect((await tokenEndpoint({}, { store, secret: [current] }).redeem(oneTime)).status).toBe(403);
  });

  it("is redeemed before the function and never at its commit: claimAt 'commit' is a config error at once", () => {
    expect(() => tokenEndpoint({}, { claimAt: "commit" })).toThrow(
      "the key is a one-time token, which is redeemed before the function; allowed is claimAt 'start'",
    );
  });

  it("of a binding of one's own is redeemed too, and refused at the call under claimAt 'commit'", async () => {
    const store = testingStore();
    const { redeem } = token({ secrets: SECRETS });
    const binding = { name: "mails", identify: (mail: { token: string; to: string }) => ({ key: mail.token, redeem }) };
    const sent = vi.fn(async (mail: { token: string; to: string }) => `to ${mail.to}`);
    const call = idempotent(sent, { store, operation: "mail", binding });
    const oneTime = await issueToken({
      store,
      operation: "mail",
      principal: false,
      expiresAfter: LIFETIME,
      secrets: SECRETS,
    });
    expect(await call.outcome({ token: oneTime, to: "ann" })).toMatchObject({ status: "executed", attempt: 1 });
    expect(await call.outcome({ token: oneTime, to: "ann" })).toMatchObject({ status: "replayed", result: "to ann" });
    await expect(call({ token: `${oneTime}x`, to: "ann" })).rejects.toMatchObject({
      name: "IdempotencyTokenError",
      code: "token_invalid",
      statusCode: 403,
      reason: "foreign",
    });
    const late = idempotent(sent, { store: memoryStore(), operation: "mail", binding, claimAt: "commit" });
    await expect(late({ token: oneTime, to: "ann" })).rejects.toMatchObject({ code: "config" });
    expect(sent).toHaveBeenCalledTimes(1);
  });

  it("is waited for under whenInProgress 'wait', and replayed", async () => {
    const at = tokenEndpoint({}, { whenInProgress: "wait" });
    const oneTime = await at.issue();
    let finish: (value: unknown) => void = () => {};
    at.handler.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)));
    const first = at.redeem(oneTime);
    await vi.waitFor(() => expect(at.handler).toHaveBeenCalledTimes(1));
    const second = at.redeem(oneTime);
    await vi.waitFor(() => expect(at.asked.filter((verb) => verb === "read").length).toBeGreaterThan(0));
    finish(created);
    expect((await first).status).toBe(201);
    expect((await second).headers["idempotent-replayed"]).toBe("true");
    expect(at.handler).toHaveBeenCalledTimes(1);
  });

  it("that the first gives back is redeemed by the one who waits, and ends for both", async () => {
    const at = tokenEndpoint({}, { whenInProgress: "wait" });
    const oneTime = await at.issue();
    let finish: (value: unknown) => void = () => {};
    at.handler.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)));
    const first = at.redeem(oneTime);
    await vi.waitFor(() => expect(at.handler).toHaveBeenCalledTimes(1));
    const second = at.redeem(oneTime);
    await vi.waitFor(() => expect(at.asked.filter((verb) => verb === "read").length).toBeGreaterThan(0));
    finish(failed);
    expect([(await first).status, (await second).status]).toStrictEqual([409, 201]);
    expect(at.store.records()).toMatchObject([{ status: "COMPLETED", attempt: 1 }]);
    expect((await at.redeem(oneTime)).headers["idempotent-replayed"]).toBe("true");
  });

  it("is looked at first where the operation says so, and still redeemed by one request", async () => {
    const at = tokenEndpoint({}, { lookup: "first" });
    const oneTime = await at.issue();
    await at.redeem(oneTime);
    await at.redeem(oneTime);
    expect(at.asked).toStrictEqual(["read", "claim", "complete", "read"]);
  });

  it("is used up by an answer that http() remembers: a 400 is the answer to this token's request", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    at.handler.mockResolvedValueOnce({ ...failed, statusCode: 400 });
    expect((await at.redeem(oneTime)).status).toBe(400);
    expect((await at.redeem(oneTime)).headers["idempotent-replayed"]).toBe("true");
    expect((await at.redeem(oneTime, { body: '{"sku":"b"}' })).status).toBe(422);
  });

  it("is read from another header, as a quoted string too", async () => {
    const at = tokenEndpoint({ header: "X-Order-Token" });
    const oneTime = await at.issue();
    const send = (value: string) => at.send({ headers: { "Idempotency-Key": "-", "X-Order-Token": value } });
    expect((await send(oneTime)).status).toBe(201);
    expect((await send(`"${oneTime}"`)).headers["idempotent-replayed"]).toBe("true");
    expect((await at.redeem(oneTime)).status).toBe(400);
  });

  it("is anybody's where callers share keys", async () => {
    const at = tokenEndpoint({ principal: false, key: token({ secrets: SECRETS }) });
    const oneTime = await at.issue(false);
    expect((await at.redeem(oneTime, { user: "ann" })).status).toBe(201);
    expect((await at.redeem(oneTime, { user: "bob" })).headers["idempotent-replayed"]).toBe("true");
    expect((await at.redeem(await at.issue("ann"))).status).toBe(403);
  });

  it("asks authorize before an execution and before a replay", async () => {
    let allowed = true;
    const at = tokenEndpoint({ authorize: () => allowed });
    const oneTime = await at.issue();
    expect((await at.redeem(oneTime)).status).toBe(201);
    allowed = false;
    expect(problemOf(await at.redeem(oneTime))["code"]).toBe("forbidden");
  });

  it("is told to the observer by the record's id and the code, and by nothing of itself", async () => {
    const at = tokenEndpoint();
    const oneTime = await at.issue();
    await at.redeem("made-up");
    await at.redeem(oneTime);
    at.store.advance({ hours: 2 });
    await at.redeem(oneTime);
    expect(at.events.map(({ type }) => type)).toStrictEqual(["refused", "claimed", "completed", "refused"]);
    expect(at.events.filter(({ type }) => type === "refused")).toMatchObject([
      { code: "token_invalid", error: { reason: "foreign" } },
      { code: "token_invalid", error: { reason: "ended" } },
    ]);
    expect(JSON.stringify(at.events)).not.toContain(oneTime.slice(0, 32));
  });
});
