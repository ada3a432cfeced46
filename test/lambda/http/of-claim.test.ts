import { currentClaim, IdempotencyOutcomeUnknownError, IdempotencyWriteConflictError, idempotent } from "lambda-once";
import { type HttpEvent, http } from "lambda-once/http";
import { type MemoryTables, memoryTables, testingStore } from "lambda-once/testing";
import { describe, expect, it } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";

/** What a caller gets of a function over HTTP. */
async function answerOf(fn: () => Promise<{ statusCode: number }>, tables?: MemoryTables) {
  const call = idempotent(async (_event: HttpEvent) => fn(), {
    store: testingStore(tables === undefined ? {} : { tables }),
    operation: "pay",
    binding: http({ principal: false }),
  });
  return (await call(readEvent("api-gateway-http"))) as { statusCode: number; headers: object; body: string };
}

describe("what a claim tells its function and passes through it", () => {
  it("is a problem for the caller, of an outcome that nobody knows", async () => {
    const { statusCode, headers, body } = await answerOf(async () => {
      throw new IdempotencyOutcomeUnknownError("the provider did not answer");
    });
    expect([statusCode, JSON.parse(body).code]).toStrictEqual([500, "outcome_unknown"]);
    expect(headers).toMatchObject({ "Content-Type": "application/problem+json" });
    // Seen by a reviewer: it said that the request would fail again, and it succeeds once the lock has lapsed.
    expect(JSON.parse(body).detail).toBe(
      "Nobody knows yet what became of the request. Send it again later with the same idempotency key.",
    );
  });

  // Seen by a reviewer: both said that the request would fail again, and the first shows what it wrote.
  it.each<[string, () => Promise<{ statusCode: number }>, string]>([
    [
      "409 write_conflict",
      async () => {
        throw new IdempotencyWriteConflictError({ index: 3, reason: "ConditionalCheckFailed" });
      },
      "A condition of the operation's writes did not hold; nothing was committed.",
    ],
    [
      "500 result_unstorable",
      async () => ({ statusCode: 200, headers: { location: "a\r\nb" } }),
      "The operation ran, but its answer cannot be sent.",
    ],
    [
      "500 result_unstorable",
      async () => {
        currentClaim().write({ Put: { TableName: "orders", Item: { id: "o-1" } } });
        return { statusCode: 200, headers: { location: "a\r\nb" } };
      },
      "The operation's answer cannot be sent, and nothing of it was committed.",
    ],
  ])("is a problem whose detail is true and shows nothing of the inside: %s", async (problem, fn, detail) => {
    const { statusCode, body } = await answerOf(fn, memoryTables({ orders: { key: ["id"] } }));
    expect([`${statusCode} ${JSON.parse(body).code}`, JSON.parse(body).detail]).toStrictEqual([problem, detail]);
  });

  it("passes through as it is where it says that the code is wrong", async () => {
    const wrong = answerOf(async () => {
      currentClaim().write({ Put: { TableName: "orders", Item: { id: "o-1" } } });
      return { statusCode: 200 };
    });
    await expect(wrong).rejects.toMatchObject({ code: "config" });
  });
});
