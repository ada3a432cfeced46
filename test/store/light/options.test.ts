import { dynamoDBStore, lightClient } from "lambda-once/dynamodb/light";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkLightOptions } from "../../../src/store/light/options.ts";
import { handClock } from "../../contract/store.ts";

beforeEach(() => {
  vi.stubEnv("LAMBDA_ONCE_TABLE", "orders");
  for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"]) {
    vi.stubEnv(name, undefined);
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const refusal = (make: () => unknown): { code: string; message: string } => {
  try {
    make();
  } catch (thrown) {
    return thrown as { code: string; message: string };
  }
  return expect.unreachable("it was accepted");
};

describe("lightClient", () => {
  it.each([
    ["an unknown option", { table: "x" }, "lightClient() has no option 'table'; allowed are region, endpoint"],
    ["no options object", "orders", "was given 'orders'"],
    ["a region that is a number", { region: 7 }, "region is 7; allowed is the name of an AWS region"],
    ["a region that is another host", { region: "x.evil.example/" }, "region is 'x.evil.example/'"],
    ["a region with a line break", { region: "eu-west-1\r\n" }, "region is"],
    ["an endpoint that is no URL", { endpoint: "localhost" }, "endpoint is 'localhost'; allowed is a URL"],
    ["an endpoint of another protocol", { endpoint: "ftp://localhost" }, "endpoint is 'ftp://localhost'"],
    ["an endpoint with a query", { endpoint: "http://localhost?x=1" }, "endpoint is 'http://localhost?x=1'"],
    ["an endpoint with a password", { endpoint: "http://me:hunter2@localhost" }, "or one with a password"],
    ["credentials that are text", { credentials: "hunter2" }, "credentials is string; allowed is { accessKeyId"],
    ["null as credentials", { credentials: null }, "credentials is object"],
    ["FIPS that is text", { useFips: "yes" }, "useFips is 'yes'; allowed is true or false"],
    ["FIPS and an endpoint", { useFips: true, endpoint: "http://localhost" }, "both an endpoint and FIPS"],
    ["no attempt", { maxAttempts: 0 }, "maxAttempts is 0; allowed is 1 to 10"],
    ["half of an attempt", { maxAttempts: 1.5 }, "maxAttempts is 1.5"],
    ["a timeout that is a number", { requestTimeout: 5 }, "lightClient(): requestTimeout is 5"],
    ["no time to connect", { connectTimeout: { seconds: 0 } }, "connectTimeout is { seconds: 0 }"],
  ])("refuses %s", (_, options, message) => {
    const error = refusal(() => lightClient(options as never));
    expect(error).toMatchObject({ code: "config", message: expect.stringContaining(message) });
    expect(error.message).not.toContain("hunter2");
  });

  it("takes the environment's region and endpoint where none is given", () => {
    const settings = () => checkLightOptions("lightClient", {});
    vi.stubEnv("AWS_DEFAULT_REGION", "eu-west-2");
    expect(settings()).toMatchObject({ region: "eu-west-2", endpoint: undefined, fips: false });
    vi.stubEnv("AWS_REGION", "eu-west-1");
    vi.stubEnv("AWS_ENDPOINT_URL", "http://localhost:1");
    expect(settings()).toMatchObject({ region: "eu-west-1", endpoint: new URL("http://localhost:1") });
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:2");
    expect(settings().endpoint).toStrictEqual(new URL("http://localhost:2"));
    expect(checkLightOptions("lightClient", { region: "us-east-1", endpoint: "http://localhost:3" })).toMatchObject({
      region: "us-east-1",
      endpoint: new URL("http://localhost:3"),
    });
    vi.stubEnv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    vi.stubEnv("AWS_USE_FIPS_ENDPOINT", "true");
    expect(settings()).toMatchObject({ endpoint: undefined, fips: true });
    expect(checkLightOptions("lightClient", { useFips: false }).fips).toBe(false);
  });

  it("says that the environment's region or endpoint is the bad one", () => {
    vi.stubEnv("AWS_ENDPOINT_URL", "localhost");
    expect(refusal(() => lightClient()).message).toContain("the environment variable AWS_ENDPOINT_URL is 'localhost'");
    vi.stubEnv("AWS_REGION", "a region");
    vi.stubEnv("AWS_ENDPOINT_URL", "");
    expect(refusal(() => lightClient()).message).toContain("the environment variable AWS_REGION is 'a region'");
  });

  it("gives a connection one second, an attempt two, and makes three of them, like the SDK's client", () => {
    expect(checkLightOptions("lightClient", {})).toMatchObject({
      patience: { connect: 1_000, answer: 2_000 },
      attempts: 3,
    });
  });
});

describe("dynamoDBStore over a light client", () => {
  const client = { send: async () => ({}) };

  it.each([
    ["an unknown option", { table: "x" }, "allowed are tableName, client, region, endpoint, credentials, clock"],
    ["a bad table name", { tableName: "a table" }, "tableName is 'a table'"],
    ["a bad region", { region: "" }, "dynamoDBStore(): region is ''"],
    ["a client and credentials", { client, credentials: () => ({}) }, "both client and credentials"],
    ["a client without send()", { client: {} }, "client is an object without send(); allowed is a lightClient() here"],
    ["null as client", { client: null }, "client is null without send()"],
    ["a client of the SDK", { client: { ...client, middlewareStack: {} } }, "client is a client of the AWS SDK"],
    ["a clock without now()", { clock: {} }, "clock is an object"],
  ])("refuses %s", (_, options, message) => {
    expect(refusal(() => dynamoDBStore(options as never))).toMatchObject({
      code: "config",
      message: expect.stringContaining(message),
    });
  });

  it("needs nothing but a table in the environment, and has the clock that it was given", () => {
    expect(Math.abs(dynamoDBStore().clock.now() - Date.now())).toBeLessThan(1_000);
    expect(dynamoDBStore({ clock: handClock(5) }).clock.now()).toBe(5);
  });

  it("says how to give a region where there is none", async () => {
    await expect(dynamoDBStore().read("a", { consistent: true })).rejects.toMatchObject({
      reason: "invalid_request",
      retryable: false,
      message: expect.stringContaining("give region, or set the environment variable AWS_REGION"),
    });
  });

  it("takes any transport, and prewarms it where it can be", async () => {
    const warmed: string[] = [];
    const prewarm = async () => void warmed.push("yes");
    await dynamoDBStore({ client }).prewarm();
    await dynamoDBStore({ client: { ...client, prewarm, destroy: () => {} } }).prewarm();
    expect(warmed).toStrictEqual(["yes"]);
  });
});
