import { describe, expect, it } from "vitest";
import { epochMillis } from "../../src/core/time.ts";
import { type HttpEvent, http } from "../../src/http.ts";
import { IdempotencyConfigError, idempotent } from "../../src/index.ts";
import { lambdaContext } from "../../src/testing.ts";
import { signature } from "../../src/webhooks.ts";
import { type Endpoint, endpoint, eventOf, FRONT_ENDS, KINDS, problemOf, type Sent } from "../lambda/http/kit.ts";
import { BODY, hmac, NOW, OTHER, SECRET, standard, stripe, TEXT_SECRET } from "./kit.ts";

/** An endpoint whose clock is the deliveries' clock. */
function webhook(more: Parameters<typeof endpoint>[1] = {}): Endpoint & { readonly clock: { seconds: number } } {
  const clock = { seconds: NOW };
  const key = signature({ secrets: [SECRET], clock: { now: () => epochMillis(clock.seconds * 1000) } });
  return { ...endpoint({ principal: false, key }, { operation: "payment-webhook", ...more }), clock };
}

const sent = (body = BODY, more: Parameters<typeof standard>[1] = {}): Sent => ({
  path: "/webhooks/payment",
  headers: { "Idempotency-Key": "-", ...standard(body, more) },
  body,
});

describe.each(FRONT_ENDS)("through %s", (_, make) => {
  it("runs a delivery once and replays it when it is sent again", async () => {
    const { send, handler } = webhook({ make });
    const [first, again] = [await send(sent()), await send(sent())];
    expect([first.status, again.status, again.body]).toStrictEqual([201, 201, first.body]);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("answers 401 before anything is written, and says why to the observer only", async () => {
    const { send, handler, store, events } = webhook({ make });
    const answer = await send(sent(BODY, { secret: OTHER }));
    expect(answer.status).toBe(401);
    expect(problemOf(answer)).toStrictEqual({
      type: "https://lambda-once.dev/problems/signature_invalid",
      title: "The signature of the request is missing or not valid",
      status: 401,
      detail: "The request does not carry a valid signature.",
      code: "signature_invalid",
    });
    expect(answer.headers["www-authenticate"]).toBe("Signature");
    expect(handler).not.toHaveBeenCalled();
    expect(store.records()).toStrictEqual([]);
    expect(events).toStrictEqual([
      expect.objectContaining({
        type: "refused",
        code: "signature_invalid",
        error: expect.objectContaining({ reason: "mismatch" }),
      }),
    ]);
  });
});

describe.each(KINDS)("behind a %s", (kind) => {
  it("verifies, replays and refuses in the event's own form", async () => {
    const { send, handler } = webhook({ kind });
    expect((await send({ ...sent(), base64: true })).status).toBe(201);
    expect((await send(sent())).headers["idempotent-replayed"]).toBe("true");
    expect((await send({ ...sent(), body: `${BODY} ` })).status).toBe(401);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

it("replays a delivery that comes days later with a fresh time and signature", async () => {
  const { send, handler, store, clock } = webhook();
  await send(sent());
  for (const days of [3, 14]) {
    store.advance({ days: days - (clock.seconds - NOW) / 86_400 });
    clock.seconds = NOW + days * 86_400;
    const again = await send(sent(BODY, { seconds: clock.seconds }));
    expect([again.status, again.headers["idempotent-replayed"]]).toStrictEqual([201, "true"]);
  }
  store.advance({ days: 2 });
  clock.seconds += 2 * 86_400;
  expect((await send(sent(BODY, { seconds: clock.seconds }))).headers).not.toHaveProperty("idempotent-replayed");
  expect(handler).toHaveBeenCalledTimes(2);
});

it("keeps answers for 15 days, or as long as the operation says", async () => {
  const { send, store } = webhook();
  await send(sent());
  const short = webhook({ expiresAfter: { hours: 1 } });
  await short.send(sent());
  const days = ({ store: { clock }, expiresAt }: { store: Endpoint["store"]; expiresAt: number | undefined }): number =>
    ((expiresAt ?? 0) - clock.now() / 1000) / 86_400;
  expect(days({ store, expiresAt: store.records()[0]?.expiresAt })).toBeCloseTo(15, 3);
  expect(days({ store: short.store, expiresAt: short.store.records()[0]?.expiresAt })).toBeCloseTo(1 / 24, 3);
});

it("refuses the same id with other bytes with 422, although they are signed", async () => {
  const { send, handler } = webhook();
  await send(sent());
  const other = await send(sent(BODY.replace("12", "13")));
  expect([other.status, problemOf(other)["code"]]).toStrictEqual([422, "key_reused"]);
  expect((await send(sent())).headers["idempotent-replayed"]).toBe("true");
  expect(handler).toHaveBeenCalledTimes(1);
});

it("refuses a captured delivery after the tolerance, and replays it before", async () => {
  const { send, handler, clock } = webhook();
  await send(sent());
  clock.seconds = NOW + 300;
  expect((await send(sent())).headers["idempotent-replayed"]).toBe("true");
  clock.seconds = NOW + 301;
  expect((await send(sent())).status).toBe(401);
  expect(handler).toHaveBeenCalledTimes(1);
});

it("runs 50 equal deliveries at once one time", async () => {
  const { send, handler } = webhook();
  const answers = await Promise.all(Array.from({ length: 50 }, () => send(sent())));
  expect(handler).toHaveBeenCalledTimes(1);
  expect(answers.filter(({ status }) => status === 201 || status === 409)).toHaveLength(50);
});

describe("ways around the signature", () => {
  it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])("are closed for %s", async (method) => {
    const { send, handler, store } = webhook();
    const preflight = {
      Origin: "https://evil.example",
      "Access-Control-Request-Method": "POST",
      "Idempotency-Key": "-",
    };
    expect((await send({ method, headers: preflight, body: undefined })).status).toBe(401);
    expect((await send({ ...sent(BODY, { secret: OTHER }), method })).status).toBe(401);
    expect(handler).not.toHaveBeenCalled();
    expect(store.records()).toStrictEqual([]);
  });

  it("are closed for a captured delivery by another method or path: it is not carried out a second time", async () => {
    const { send, handler } = webhook();
    await send(sent());
    expect((await send({ ...sent(), method: "PUT" })).status).toBe(422);
    expect((await send({ ...sent(), method: "GET" })).status).toBe(422);
    expect((await send({ ...sent(), path: "/webhooks/other" })).status).toBe(422);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("are closed for a new Idempotency-Key, which nothing signs", async () => {
    const { send, handler } = webhook();
    for (const key of ["a", "b"]) await send({ ...sent(), headers: { ...sent().headers, "Idempotency-Key": key } });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("are closed where the operation's own key stands in its place, and where keys may be missing", async () => {
    for (const more of [{ key: "json(body).id" }, { whenKeyMissing: "run" as const }]) {
      const { send, handler } = webhook(more);
      expect((await send(sent(BODY, { secret: OTHER }))).status).toBe(401);
      expect(handler).not.toHaveBeenCalled();
      expect((await send(sent())).status).toBe(201);
    }
  });
});

it("answers 400 where the signed body has no id, also where keys may be missing", async () => {
  const key = signature({ secrets: [TEXT_SECRET], scheme: "stripe", clock: { now: () => epochMillis(NOW * 1000) } });
  const { send, handler } = endpoint({ principal: false, key }, { operation: "stripe", whenKeyMissing: "run" });
  const body = '{"type":"ping"}';
  expect((await send({ headers: stripe(body), body })).status).toBe(400);
  expect((await send({ headers: stripe(), body: BODY })).status).toBe(201);
  expect(handler).toHaveBeenCalledTimes(1);
});

it("tells deliveries of one id in two operations apart", async () => {
  const one = webhook();
  const key = signature({ secrets: [SECRET], clock: { now: () => epochMillis(NOW * 1000) } });
  const binding = http({ principal: false, key });
  let runs = 0;
  const other = idempotent(async (_event: HttpEvent) => ({ statusCode: 200, body: String(++runs) }), {
    store: one.store,
    operation: "another-webhook",
    binding,
  });
  await one.send(sent());
  await other(eventOf("HTTP API", sent()));
  expect(runs).toBe(1);
});

describe("options", () => {
  const key = signature({ secrets: [SECRET] });

  it("refuses methods beside a signature: all are claimed", () => {
    expect(() => http({ principal: false, key, methods: ["POST"] })).toThrow(IdempotencyConfigError);
    expect(() => http({ principal: false, key, methods: ["POST"] })).toThrow("requests of all methods are verified");
  });

  it("takes another challenge", async () => {
    const { send } = endpoint({ principal: false, key, challenge: "Webhook realm=x" }, { operation: "challenge" });
    expect((await send({})).headers["www-authenticate"]).toBe("Webhook realm=x");
  });

  it("passes a parsed body on as the mistake that it is", async () => {
    const { handler, sendEvent } = webhook();
    const event = { ...eventOf("HTTP API", sent()), body: JSON.parse(BODY) };
    await expect(sendEvent(event)).rejects.toThrow(IdempotencyConfigError);
    expect(handler).not.toHaveBeenCalled();
  });
});

it("works as the key of an operation without a binding, and throws its refusals", async () => {
  const { store } = webhook();
  const pair = signature({
    secrets: [TEXT_SECRET],
    scheme: { timestamp: "x-timestamp", signature: "x-signature", idInBody: "id" },
    clock: { now: () => epochMillis(NOW * 1000) },
  });
  let runs = 0;
  const handler = idempotent(async (_event: HttpEvent, _context: unknown) => ++runs, {
    store,
    operation: "by-pair",
    key: pair,
    expiresAfter: pair.expiresAfter,
  });
  const headers = { "x-timestamp": String(NOW), "x-signature": hmac(TEXT_SECRET, `${NOW}.${BODY}`) };
  const event = eventOf("REST API", { headers, body: BODY });
  expect([await handler(event, lambdaContext()), await handler(event, lambdaContext())]).toStrictEqual([1, 1]);
  const forged = eventOf("REST API", { headers: { ...headers, "x-signature": "0".repeat(64) }, body: BODY });
  await expect(handler(forged, lambdaContext())).rejects.toMatchObject({
    code: "signature_invalid",
    reason: "mismatch",
  });
});
