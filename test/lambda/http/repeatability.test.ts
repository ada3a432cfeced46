import { describe, expect, it } from "vitest";
import { http } from "../../../src/http.ts";
import { IdempotencyClaimLostError, type IdempotencyError, IdempotencyStoreError } from "../../../src/index.ts";
import { endpoint, eventOf, FRONT_ENDS, KINDS, type Sent } from "./kit.ts";

const RESULT = "repeatability-result";
const sentAgo = (millis: number, more: Readonly<Record<string, string>> = {}): Sent => ({
  headers: { "Repeatability-First-Sent": new Date(Date.now() - millis).toUTCString(), ...more },
});
const now = sentAgo(0);

describe.each(FRONT_ENDS)("Repeatability-Result (OASIS Repeatable Requests, 3.2.1) under %s", (_, make) => {
  it.each(KINDS)("is accepted in the first answer and in every repetition behind a %s", async (kind) => {
    const { send, handler } = endpoint({}, { make, kind });
    expect((await send(now)).headers).toMatchObject({ [RESULT]: "accepted", location: "/orders/1" });
    expect((await send(now)).headers).toMatchObject({ [RESULT]: "accepted", "idempotent-replayed": "true" });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("is accepted in an answer that is given and not remembered: it is what became of the operation", async () => {
    const { send, handler } = endpoint({}, { make });
    handler.mockResolvedValueOnce({ statusCode: 503, headers: { "repeatability-RESULT": "rejected" }, body: "" });
    const answer = await send(now);
    expect([answer.status, answer.headers[RESULT]]).toStrictEqual([503, "accepted"]);
  });

  it("is not sent to who has not sent Repeatability-First-Sent, also where the first request did", async () => {
    const { send } = endpoint({}, { make });
    await send(now);
    expect((await send()).headers).not.toHaveProperty(RESULT);
    expect((await send({ body: "{}" })).headers).not.toHaveProperty(RESULT);
  });

  it.each<readonly [string, number, Sent]>([
    ["was sent too long ago", 412, sentAgo(25 * 3_600_000)],
    ["has no date", 400, { headers: { "Repeatability-First-Sent": "yesterday" } }],
    ["has no key", 400, sentAgo(0, { "Idempotency-Key": "-" })],
    ["names nobody", 401, { ...now, user: "" }],
    ["was used for another one", 422, { ...now, body: '{"sku":"b"}' }],
  ])("is rejected where a request %s", async (__, status, sent) => {
    const { send, handler } = endpoint({}, { make });
    await send();
    const answer = await send(sent);
    expect([answer.status, answer.headers[RESULT]]).toStrictEqual([status, "rejected"]);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("is accepted where the operation was carried out and its answer cannot be sent, then and later", async () => {
    const { send, handler } = endpoint({}, { make });
    handler.mockResolvedValue({ statusCode: 201, headers: { etag: "a\r\nb" } });
    for (let again = 0; again < 2; again++) {
      const answer = await send(now);
      expect([answer.status, answer.headers[RESULT]]).toStrictEqual([500, "accepted"]);
    }
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("is told by the request as it came, whatever the handler does to its event", async () => {
    const { send, handler } = endpoint({ statusHeader: true }, { make });
    handler.mockImplementation(async (event) => {
      for (const name of Object.keys(event)) delete (event as Record<string, unknown>)[name];
      return { statusCode: 200, body: "" };
    });
    const { status, headers } = await send(now);
    expect([status, headers[RESULT], headers["idempotency-status"]]).toStrictEqual([200, "accepted", "executed"]);
  });

  it("is not sent for a method that is not claimed", async () => {
    const { send } = endpoint({}, { make });
    expect((await send({ ...now, method: "GET" })).headers).not.toHaveProperty(RESULT);
  });
});

describe("Repeatability-Result of a refusal", () => {
  const resultOf = (error: IdempotencyError): unknown =>
    http({ principal: false }).refuse?.(error, eventOf("HTTP API", now)).headers["Repeatability-Result"];

  it("is rejected where the store kept the function from running", () => {
    const error = new IdempotencyStoreError({ reason: "throttled", detail: "busy" });
    expect(resultOf(error)).toBe("rejected");
  });

  it.each([
    ["another call has taken over", new IdempotencyClaimLostError({ retryAfter: 1 })],
    [
      "nobody knows whether a commit happened",
      new IdempotencyStoreError({ reason: "timeout", detail: "late", outcome: "unknown" }),
    ],
  ])("is not sent where the function ran and %s: neither would be true", (_, error) => {
    expect(resultOf(error)).toBeUndefined();
  });
});
