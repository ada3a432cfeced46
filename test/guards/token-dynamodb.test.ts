import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, it, vi } from "vitest";
import { dynamoDBStore } from "../../src/dynamodb.ts";
import { issueToken, token } from "../../src/guards.ts";
import { http } from "../../src/http.ts";
import { currentClaim, type IdempotencyEvent, idempotent } from "../../src/index.ts";
import { lambdaContext } from "../../src/testing.ts";
import { START } from "../contract/requests.ts";
import { handClock } from "../contract/store.ts";
import { answerOf, created, eventOf, userOf } from "../lambda/http/kit.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { type Fault, faultyClient, lostResponse, none } from "../support/dynamodb-faults.ts";
import { failed, LIFETIME, OPERATION, RETENTION, SECRETS, secret } from "./token-kit.ts";

const local = await localDynamoDB();

/** An operation whose key is a one-time token, on a table of its own and at a time that the test sets. */
async function table(faults: readonly Fault[] = [], more: object = {}) {
  const tableName = await local.createTable();
  const clock = handClock(START);
  const issuing = dynamoDBStore({ tableName, client: local.client(), clock });
  const { client, sent } = faultyClient(local, faults);
  const store = dynamoDBStore({ tableName, client, clock });
  const handler = vi.fn(async (_: unknown, __?: unknown): Promise<unknown> => structuredClone(created));
  const events: IdempotencyEvent[] = [];
  const call = idempotent((event: never, context?: unknown) => handler(event, context), {
    store,
    operation: OPERATION,
    binding: http({ principal: userOf, key: token({ secrets: SECRETS }) }),
    expiresAfter: RETENTION,
    observe: (event: IdempotencyEvent) => void events.push(event),
    ...more,
  } as never) as unknown as (event: unknown, context: unknown) => Promise<unknown>;
  const issue = (from = issuing) =>
    issueToken({ store: from, operation: OPERATION, principal: "ann", expiresAfter: LIFETIME, secrets: SECRETS });
  const redeem = async (oneTime: string, body = '{"sku":"a"}', user = "ann") =>
    answerOf(await call(eventOf("REST API", { headers: { "Idempotency-Key": oneTime }, body, user }), lambdaContext()));
  const items = async () => (await local.client().send(new ScanCommand({ TableName: tableName }))).Items ?? [];
  return { store, clock, sent, handler, events, issue, redeem, items };
}

it("executes one of 50 concurrent redeemers, and the others are told to wait or get its answer (bad input: 50 concurrent redeemers)", async () => {
  const at = await table();
  const oneTime = await at.issue();
  const all = await Promise.all(Array.from({ length: 50 }, () => at.redeem(oneTime)));
  expect(at.handler).toHaveBeenCalledTimes(1);
  const ran = all.filter(({ status, headers }) => status === 201 && headers["idempotent-replayed"] === undefined);
  const others = all.filter(({ status, headers }) => status === 409 || headers["idempotent-replayed"] === "true");
  expect([ran.length, others.length]).toStrictEqual([1, 49]);
  expect(await at.items()).toMatchObject([{ status: { S: "COMPLETED" }, attempt: { N: "1" } }]);
});

it("executes one of 50 again after the first one has failed and given it back", async () => {
  const at = await table();
  const oneTime = await at.issue();
  at.handler.mockResolvedValueOnce(failed);
  expect((await at.redeem(oneTime)).status).toBe(409);
  await Promise.all(Array.from({ length: 50 }, () => at.redeem(oneTime)));
  expect(at.handler).toHaveBeenCalledTimes(2);
});

it("costs one request to issue, one to redeem before the handler runs, one to store the answer, one to replay, none to refuse a foreign one", async () => {
  const at = await table();
  const oneTime = await at.issue(at.store);
  expect(at.sent).toStrictEqual(["PutItem"]);
  let before: readonly string[] = [];
  at.handler.mockImplementationOnce(async () => {
    before = at.sent.slice(1);
    return created;
  });
  await at.redeem(oneTime);
  expect([before, at.sent.slice(1)]).toStrictEqual([["UpdateItem"], ["UpdateItem", "UpdateItem"]]);
  await at.redeem(oneTime);
  expect(at.sent.slice(3)).toStrictEqual(["GetItem"]); // This process has seen the key: it looks first.
  await at.redeem(oneTime, undefined, "bob");
  await at.redeem("x".repeat(83));
  expect(at.sent).toHaveLength(4);
});

it("is one request for a replay where the process has not seen the key", async () => {
  const at = await table([], { lookup: "never" });
  const oneTime = await at.issue();
  await at.redeem(oneTime);
  expect((await at.redeem(oneTime)).headers["idempotent-replayed"]).toBe("true");
  expect(at.sent).toStrictEqual(["UpdateItem", "UpdateItem", "UpdateItem"]);
});

it("leaves the record unchanged where the used token comes with another body", async () => {
  const at = await table();
  const oneTime = await at.issue();
  await at.redeem(oneTime);
  const before = await at.items();
  expect((await at.redeem(oneTime, '{"sku":"b"}')).status).toBe(422);
  expect(await at.items()).toStrictEqual(before);
});

it("stores a hash alone, before and after it is used", async () => {
  const at = await table();
  const oneTime = await at.issue();
  const issued = JSON.stringify(await at.items());
  await at.redeem(oneTime);
  for (const text of [issued, JSON.stringify(await at.items())]) {
    for (const part of [oneTime.slice(0, 32), oneTime.slice(40), '"ann"']) expect(text).not.toContain(part);
  }
});

it("knows its own issue, redemption, answer and return where the responses were lost", async () => {
  const at = await table([lostResponse]);
  const oneTime = await at.issue(at.store);
  expect(at.sent).toStrictEqual(["PutItem", "PutItem"]);
  expect(await at.items()).toMatchObject([{ status: { S: "ISSUED" } }]);

  const redeeming = await table([lostResponse]);
  const another = await redeeming.issue();
  redeeming.handler.mockResolvedValueOnce(failed);
  expect((await redeeming.redeem(another)).status).toBe(409);
  // Redeemed, recognised by its owner, given back.
  expect(redeeming.sent).toStrictEqual(["UpdateItem", "UpdateItem", "UpdateItem"]);
  expect(await redeeming.items()).toMatchObject([{ status: { S: "ISSUED" }, attempt: { N: "0" } }]);

  const returning = await table([none, lostResponse, none, none, none, lostResponse]);
  const third = await returning.issue();
  returning.handler.mockResolvedValueOnce(failed);
  expect((await returning.redeem(third)).status).toBe(409);
  expect(returning.sent).toStrictEqual(["UpdateItem", "UpdateItem", "UpdateItem"]);
  expect((await returning.redeem(third)).status).toBe(201);
  expect(returning.sent.slice(3)).toStrictEqual(["GetItem", "UpdateItem", "UpdateItem", "UpdateItem"]);
  expect(returning.handler).toHaveBeenCalledTimes(2);
  expect(returning.events.map(({ type }) => type)).toStrictEqual(["claimed", "released", "claimed", "completed"]);
  expect((await at.redeem(oneTime)).status).toBe(201);
});

it("takes over after a crash once the lock has lapsed, and executes one of 20 then", async () => {
  const at = await table([], { lockFor: { seconds: 30 } });
  const oneTime = await at.issue();
  let finish: (value: unknown) => void = () => {};
  at.handler.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)));
  const hanging = at.redeem(oneTime);
  await vi.waitFor(() => expect(at.handler).toHaveBeenCalledTimes(1));
  at.clock.set(START + 29_999);
  expect((await at.redeem(oneTime)).status).toBe(409);
  at.clock.set(START + 30_001);
  await Promise.all(Array.from({ length: 20 }, () => at.redeem(oneTime)));
  expect(at.handler).toHaveBeenCalledTimes(2);
  expect(await at.items()).toMatchObject([{ status: { S: "COMPLETED" }, attempt: { N: "2" } }]);
  finish(failed);
  expect((await hanging).status).toBe(409); // The late owner's failure changes nothing.
  expect((await at.redeem(oneTime)).headers["idempotent-replayed"]).toBe("true");
});

it("keeps the steps of an attempt that failed", async () => {
  const at = await table();
  const charge = vi.fn(async () => "ch-1");
  const oneTime = await at.issue();
  const charging = (answer: unknown) => async () => {
    await currentClaim().step("charge", charge);
    return answer;
  };
  at.handler.mockImplementationOnce(charging(failed));
  expect((await at.redeem(oneTime)).status).toBe(409);
  expect(await at.items()).toMatchObject([{ status: { S: "RELEASED" }, steps: { M: { charge: {} } } }]);
  expect((await at.redeem(oneTime, '{"sku":"b"}')).status).toBe(422);
  at.handler.mockImplementationOnce(charging(created));
  expect((await at.redeem(oneTime)).status).toBe(201);
  expect(charge).toHaveBeenCalledTimes(1);
});

it("is refused after its end, and replayed after its end where it was used", async () => {
  const at = await table();
  const [used, unused] = [await at.issue(), await at.issue()];
  await at.redeem(used);
  at.clock.set(START + 15 * 60_000);
  expect((await at.redeem(unused)).status).toBe(403);
  expect((await at.redeem(used)).headers["idempotent-replayed"]).toBe("true");
  at.clock.set(START + 75 * 60_000);
  const before = at.sent.length;
  expect((await at.redeem(used)).status).toBe(403);
  expect([at.sent.length - before, at.handler.mock.calls.length]).toStrictEqual([0, 1]);
});

it("is redeemed in the last millisecond before its end by one of many whose clocks agree", async () => {
  const at = await table();
  const oneTime = await at.issue();
  at.clock.set(START + 15 * 60_000 - 1);
  expect((await at.redeem(oneTime)).status).toBe(201);
});

it("is found under a previous secret of the operation, for one request more", async () => {
  const [old, current] = [secret(), secret()];
  const at = await table([], { secret: [current, old] });
  const oneTime = await issueToken({
    store: at.store,
    operation: OPERATION,
    principal: "ann",
    expiresAfter: LIFETIME,
    secrets: SECRETS,
    secret: [old],
  });
  expect((await at.redeem(oneTime)).status).toBe(201);
  expect(at.sent).toStrictEqual(["PutItem", "UpdateItem", "UpdateItem", "UpdateItem"]);
  expect(await at.items()).toHaveLength(1);
});
