import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { dynamoDBStore } from "../../../src/store/dynamodb.ts";
import { dynamoDBStore as lightStore } from "../../../src/store/light/dynamodb.ts";
import { clientAt, failureOf, hangUp, json, KEYS, type Reply, refusal, serve, silence, withoutPauses } from "./kit.ts";

const unsigned = (date: number): Reply =>
  refusal("InvalidSignatureException", {}, 400, { date: new Date(date).toUTCString() });

/** What goes wrong, and what it is for whoever called. */
const FAILURES: readonly (readonly [name: string, reply: Reply, reason: string, retryable: boolean])[] = [
  ["ProvisionedThroughputExceededException", refusal("ProvisionedThroughputExceededException"), "throttled", true],
  ["ThrottlingException", refusal("ThrottlingException"), "throttled", true],
  ["RequestLimitExceeded", refusal("RequestLimitExceeded"), "throttled", true],
  ["throttling with its reasons", refusal("NewException", { ThrottlingReasons: [{ reason: "x" }] }), "throttled", true],
  ["status 429", json(429, {}), "throttled", true],
  ["InternalServerError", refusal("InternalServerError", {}, 500), "unavailable", true],
  ["ServiceUnavailable", refusal("ServiceUnavailable", {}, 503), "unavailable", true],
  ["a lost connection", hangUp, "unavailable", true],
  ["no answer", silence, "timeout", true],
  ["a missing table", refusal("ResourceNotFoundException"), "missing_table", false],
  ["a missing permission", refusal("AccessDeniedException"), "access_denied", false],
  ["credentials that are not known", refusal("UnrecognizedClientException"), "credentials", false],
  ["credentials that have ended", refusal("ExpiredTokenException"), "credentials", false],
  ["a wrong signature", unsigned(Date.now()), "credentials", false],
  ["a signature of another time", unsigned(Date.now() - 86_400_000), "credentials", false],
  ["no credentials in the request", refusal("MissingAuthenticationTokenException"), "credentials", false],
  ["an invalid request", refusal("ValidationException"), "invalid_request", false],
  [
    "a table with another key",
    refusal("ValidationException", { message: "Missing the key pk in the item" }),
    "invalid_request",
    false,
  ],
  ["a request that cannot be read", refusal("SerializationException"), "invalid_request", false],
];

describe("a failure of DynamoDB", () => {
  it.each(FAILURES)("by %s is the same over a light client as over the SDK", async (_, reply, reason, retryable) => {
    const { endpoint } = await serve(reply);
    const tableName = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
    const patience = reply === silence ? 50 : 10_000;
    const requestHandler = { requestTimeout: patience, throwOnRequestTimeout: true };
    const base = { region: "eu-central-1", credentials: KEYS, endpoint, maxAttempts: 1 };
    const sdk = new DynamoDBClient({ ...base, requestHandler });
    const timeouts = { requestTimeout: { seconds: patience / 1_000 }, runtime: withoutPauses };
    const light = clientAt(endpoint, { ...timeouts, maxAttempts: 1 });
    const failures = await Promise.all(
      [dynamoDBStore({ client: sdk, tableName }), lightStore({ client: light, tableName })].map((store) =>
        failureOf(store.read("a", { consistent: true })),
      ),
    );
    sdk.destroy();
    for (const failure of failures) {
      expect(failure).toMatchObject({
        code: "store_failed",
        reason,
        retryable,
        action: "dynamodb:GetItem",
        table: "orders",
      });
      expect(failure.message).not.toMatch(/123456789012|verysecret|tokentoken/);
    }
    // Of a connection the SDK says TimeoutError, where Node's own error has no name.
    const [theirs, ours] = failures.map(({ message }) => message.replace(/\((TimeoutError|Error)\)/, ""));
    expect(ours).toBe(theirs);
  });

  it.each([
    ["a proxy's page with status 503", json(503, "<html>")],
    ["a proxy's page with status 403", json(403, "<html>")],
    ["a page instead of an answer", json(200, "<html>")],
    ["a redirect", json(302, "", { location: "http://127.0.0.1:1" })],
  ])("by %s is unavailable over both", async (_, reply) => {
    const { endpoint } = await serve(reply);
    const sdk = new DynamoDBClient({ region: "eu-central-1", credentials: KEYS, endpoint, maxAttempts: 1 });
    const light = clientAt(endpoint, { maxAttempts: 1 });
    for (const store of [
      dynamoDBStore({ client: sdk, tableName: "orders" }),
      lightStore({ client: light, tableName: "orders" }),
    ]) {
      expect(await failureOf(store.read("a", { consistent: true }))).toMatchObject({ reason: "unavailable" });
    }
    sdk.destroy();
  });

  it("by credentials that cannot be had is about the credentials, and shows nothing of them", async () => {
    const { endpoint, sent } = await serve(json(200, {}));
    const credentials = () => ({ accessKeyId: "AK", secretAccessKey: "very secret" });
    const store = lightStore({ client: clientAt(endpoint, { credentials }), tableName: "orders" });
    const failure = await failureOf(store.read("a", { consistent: true }));
    expect(failure).toMatchObject({ reason: "credentials", retryable: false });
    expect(JSON.stringify([failure.message, failure["cause"], String(failure["cause"])])).not.toContain("very secret");
    expect(sent).toHaveLength(0);
  });

  it("never holds the secret or the token, however deep one looks", async () => {
    const { inspect } = await import("node:util");
    for (const [, reply] of FAILURES.filter(([name]) => name !== "no answer")) {
      const { endpoint } = await serve(reply);
      const store = lightStore({ client: clientAt(endpoint, { maxAttempts: 1 }), tableName: "orders" });
      const failure = await failureOf(store.read("a", { consistent: true }));
      expect(inspect(failure, { depth: 20, showHidden: true })).not.toMatch(/verysecret|tokentoken|AWS4-HMAC/);
    }
  });
});
