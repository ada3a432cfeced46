import { currentClaim, IdempotencyOutcomeUnknownError, idempotent, memoryStore } from "lambda-once";
import { type HttpEvent, http } from "lambda-once/http";
import { describe, expect, it } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";

/** What a caller gets of a function over HTTP. */
async function answerOf(fn: () => Promise<{ statusCode: number }>) {
  const call = idempotent(async (_event: HttpEvent) => fn(), {
    store: memoryStore(),
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
  });

  it("passes through as it is where it says that the code is wrong", async () => {
    const wrong = answerOf(async () => {
      currentClaim().write({ Put: { TableName: "orders", Item: { id: "o-1" } } });
      return { statusCode: 200 };
    });
    await expect(wrong).rejects.toMatchObject({ code: "config" });
  });
});
