import { dynamoDBStore } from "lambda-once/dynamodb/light";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { json, refusal, serve } from "./kit.ts";

const NAMES = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "CONTAINER_CREDENTIALS_FULL_URI"] as const;

beforeEach(() => {
  for (const name of NAMES) vi.stubEnv(`AWS_${name}`, undefined);
  vi.stubEnv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", undefined);
  vi.stubEnv("AWS_REGION", "eu-west-1");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const idOf = (authorization: string | undefined) => /Credential=(\w+)/.exec(authorization ?? "")?.[1];

it("a store takes its credentials from the environment, before the container's", async () => {
  const { endpoint, sent } = await serve(json(200, {}));
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKENV");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "verysecret");
  vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
  await dynamoDBStore({ tableName: "orders", endpoint }).read("a", { consistent: true });
  expect(sent.map(({ headers }) => idOf(headers.authorization))).toStrictEqual(["AKENV"]);
});

it("a store reads the environment anew when its credentials were refused", async () => {
  const { endpoint, sent } = await serve(
    (response, request) => {
      vi.stubEnv("AWS_ACCESS_KEY_ID", "AKNEW");
      refusal("ExpiredTokenException")(response, request);
    },
    json(200, {}),
  );
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKOLD");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "verysecret");
  await dynamoDBStore({ tableName: "orders", endpoint }).read("a", { consistent: true });
  expect(sent.map(({ headers }) => idOf(headers.authorization))).toStrictEqual(["AKOLD", "AKNEW"]);
});

it("a store takes its credentials from the container's endpoint, once", async () => {
  const pair = { AccessKeyId: "AKBOX", SecretAccessKey: "verysecret", Token: "t" };
  const box = await serve(json(200, pair));
  const { endpoint, sent } = await serve(json(200, {}));
  vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", box.endpoint);
  const store = dynamoDBStore({ tableName: "orders", endpoint });
  await Promise.all([store.read("a", { consistent: true }), store.read("b", { consistent: true })]);
  expect(sent.map(({ headers }) => idOf(headers.authorization))).toStrictEqual(["AKBOX", "AKBOX"]);
  expect(sent[0]?.headers["x-amz-security-token"]).toBe("t");
  expect(box.sent).toHaveLength(1);
});

it("a store without any credentials fails at the request, and says so", async () => {
  const { endpoint, sent } = await serve(json(200, {}));
  const read = dynamoDBStore({ tableName: "orders", endpoint }).read("a", { consistent: true });
  await expect(read).rejects.toMatchObject({ code: "store_failed", reason: "credentials", retryable: false });
  expect(sent).toHaveLength(0);
});
