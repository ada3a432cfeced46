import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { describe, expect, it } from "vitest";
import { failureOf, hangUp, KEYS, type Reply, refusal, serve } from "./light/kit.ts";

/** A record of somebody else who is at work. */
const running = () => {
  const at = Date.now();
  return {
    ...{ id: { S: "x" }, v: { N: "1" }, status: { S: "IN_PROGRESS" }, owner: { S: "other" }, attempt: { N: "1" } },
    ...{ steps: { M: {} }, createdAt: { N: `${at}` }, lockedUntil: { N: `${at + 30_000}` } },
    expiresAt: { N: `${Math.ceil(at / 1_000) + 90_000}` },
  };
};

function quoteAt(endpoint: string) {
  const client = new DynamoDBClient({ region: "eu-central-1", endpoint, credentials: KEYS, maxAttempts: 3 });
  const store = dynamoDBStore({ client, tableName: "records" });
  return idempotent(async (_: { id: string }) => "quoted", { store, operation: "quote", key: "id", claimAt: "commit" });
}

// seen by a reviewer: the SDK counts the tries that were refused, too, and each made the commit unknown
describe("a commit without writes over the SDK", () => {
  const conflict = (): Reply => refusal("ConditionalCheckFailedException", { Item: running() });

  it.each(["ProvisionedThroughputExceededException", "ThrottlingException"])(
    "that was throttled (%s) and then met a running call is in progress",
    async (throttled) => {
      const { endpoint, sent } = await serve(refusal(throttled), conflict());
      expect(await failureOf(quoteAt(endpoint)({ id: "a" }))).toMatchObject({ code: "in_progress" });
      expect(sent).toHaveLength(2);
    },
    30_000,
  );

  it("whose first try was not answered is unknown after that", async () => {
    const { endpoint, sent } = await serve(hangUp, conflict());
    const error = await failureOf(quoteAt(endpoint)({ id: "a" }));
    expect(error).toMatchObject({ code: "store_failed", outcome: "unknown" });
    expect(sent.length).toBeGreaterThan(1);
  }, 30_000);

  it("that never got a connection is known", async () => {
    const error = await failureOf(quoteAt("http://127.0.0.1:1")({ id: "a" }));
    expect(error).toMatchObject({ code: "store_failed", outcome: "known" });
  }, 60_000);
});
