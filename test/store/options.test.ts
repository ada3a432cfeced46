import { setFlagsFromString } from "node:v8";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { quickened } from "../../src/store/quickened.ts";
import { ownClient, sdkTransport } from "../../src/store/sdk.ts";
import { handClock } from "../contract/store.ts";

beforeEach(() => {
  vi.stubEnv("LAMBDA_ONCE_TABLE", "orders");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("dynamoDBStore", () => {
  const client = new DynamoDBClient({
    region: "local",
    credentials: { accessKeyId: "secretId", secretAccessKey: "secretKey" },
  });
  const error = (options: unknown): { code: string; message: string } => {
    try {
      dynamoDBStore(options as never);
    } catch (thrown) {
      return thrown as { code: string; message: string };
    }
    return expect.unreachable("it was accepted");
  };

  it("needs nothing but a table in the environment", () => {
    expect(() => dynamoDBStore()).not.toThrow();
  });

  it("names both ways to give a table (bad input: no table name)", () => {
    for (const value of [undefined, ""]) {
      vi.stubEnv("LAMBDA_ONCE_TABLE", value);
      expect(error({})).toMatchObject({ code: "config" });
      expect(error({}).message).toMatch(/tableName.*LAMBDA_ONCE_TABLE/);
    }
  });

  it("reads the table from the environment when it is made, and prefers the option", async () => {
    const sent: unknown[] = [];
    const recorder = {
      send: async (command: { input: { TableName: string } }) => ({ sent: sent.push(command.input.TableName) }),
    };
    const fromEnvironment = dynamoDBStore({ client: recorder });
    const given = dynamoDBStore({ client: recorder, tableName: "given" });
    vi.stubEnv("LAMBDA_ONCE_TABLE", "later");
    await fromEnvironment.read("a", { consistent: true });
    await given.read("a", { consistent: true });
    expect(sent).toStrictEqual(["orders", "given"]);
  });

  it.each([
    [
      "an unknown option (bad input: unknown option)",
      { table: "x" },
      "dynamoDBStore() has no option 'table'; allowed are tableName, client, region, endpoint, clock",
    ],
    ["no options object", "orders", "was given 'orders'"],
    ["null", null, "was given null"],
    ["an empty table name", { tableName: "" }, "tableName is ''; allowed is a table's name"],
    ["a table name with a space", { tableName: "my table" }, "tableName is 'my table'"],
    ["a table name that is too short", { tableName: "ab" }, "3 to 255"],
    ["a table name that is a number", { tableName: 7 }, "tableName is 7"],
    ["an unresolved CDK token", { tableName: "${Token[TOKEN.1]}" }, "tableName is '${Token[TOKEN.1]}'"],
    ["a region that is a number", { region: 1 }, "region is 1"],
    ["an empty endpoint", { endpoint: "" }, "endpoint is ''; allowed is a URL"],
    [
      "a client that is text",
      { client: "x" },
      "client is 'x' without send(); allowed is a DynamoDBClient or DynamoDBDocumentClient of the AWS SDK v3",
    ],
    ["null as client", { client: null }, "client is null"],
    [
      "a client without send()",
      { client: { get: () => {}, password: "hunter2" } },
      "client is an object without send()",
    ],
    ["a client and a region", { client, region: "eu-west-1" }, "both client and region; set region on the client"],
    ["a client and an endpoint", { client, endpoint: "http://localhost" }, "both client and endpoint"],
    ["a clock without now()", { clock: {} }, "clock is an object; allowed is { now() }"],
  ])("refuses %s", (_, options, message) => {
    expect(error(options)).toMatchObject({ code: "config", message: expect.stringContaining(message) });
    expect(error(options).message).not.toMatch(/hunter2|secretKey/);
  });

  it("says that the environment's table is the bad one", () => {
    vi.stubEnv("LAMBDA_ONCE_TABLE", "a table");
    expect(error({}).message).toContain("the environment variable LAMBDA_ONCE_TABLE is 'a table'");
  });

  it("takes a table's ARN, both kinds of clients, and undefined for what is not given", () => {
    const tableName = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
    const undefinedOptions = {
      tableName: undefined,
      client: undefined,
      region: undefined,
      endpoint: undefined,
      clock: undefined,
    };
    expect(() => dynamoDBStore({ tableName, client })).not.toThrow();
    expect(() => dynamoDBStore({ client: DynamoDBDocumentClient.from(client) })).not.toThrow();
    expect(() => dynamoDBStore(undefinedOptions)).not.toThrow();
  });

  it("has the clock that it was given, else the machine's", () => {
    expect(dynamoDBStore({ clock: handClock(5) }).clock.now()).toBe(5);
    expect(Math.abs(dynamoDBStore().clock.now() - Date.now())).toBeLessThan(1_000);
  });

  it("says how to give a region where there is none", async () => {
    for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_CONFIG_FILE", "/nowhere");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "a");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "b");
    await expect(dynamoDBStore().read("a", { consistent: true })).rejects.toMatchObject({
      reason: "invalid_request",
      retryable: false,
      message: expect.stringContaining("give region, or set the environment variable AWS_REGION"),
    });
  });
});

describe("the client that we make", () => {
  it("ends a request by time, tries three times and resolves its middleware once", async () => {
    const { config } = ownClient({ region: "eu-west-1", endpoint: "http://localhost:1" });
    expect(await config.maxAttempts()).toBe(3);
    expect(await config.region()).toBe("eu-west-1");
    expect(config).toHaveProperty("cacheMiddleware", true);
    const handler = config.requestHandler as unknown as { configProvider: Promise<unknown> };
    expect(await handler.configProvider).toMatchObject({
      connectionTimeout: 1_000,
      requestTimeout: 2_000,
      throwOnRequestTimeout: true,
      httpsAgent: { keepAlive: true },
    });
  });

  it("has a configuration that V8 copies as an ordinary object, and so has one that is given", () => {
    setFlagsFromString("--allow-natives-syntax");
    const isFast = new Function("object", "return %HasFastProperties(object)") as (object: object) => boolean;
    const client = new DynamoDBClient({ region: "eu-west-1" });
    const before = { ...client.config };
    expect(isFast(client.config)).toBe(false); // Else what is tested here is of no use any more.
    dynamoDBStore({ tableName: "orders", client });
    expect(isFast(client.config)).toBe(true);
    expect(client.config).toStrictEqual(before);
    expect(isFast(quickened(ownClient({ region: "eu-west-1" })).config)).toBe(true);
    const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: "eu-west-1" }));
    expect(isFast(quickened(documents).config)).toBe(true);
  });

  it("has a configuration of which nothing is asked before a request is sent", () => {
    const refuse = (): never => {
      throw new Error("not yet");
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const config of [undefined, null, 7, {}, proxy, new Proxy({}, { get: refuse, getPrototypeOf: refuse })]) {
      const client = { send: async () => ({}), config };
      expect(quickened(client)).toBe(client);
    }
    const lazy = Object.defineProperty({ send: async () => ({}) }, "config", { get: refuse });
    expect(quickened(lazy)).toBe(lazy);
    const strict = { send: async () => ({}), config: Object.defineProperty({}, "region", { get: refuse }) };
    expect(quickened(strict)).toBe(strict);
  });

  it("is asked by commands of the SDK", async () => {
    const client = { send: async (command: object) => ({ Item: { name: { S: command.constructor.name } } }) };
    const input = { TableName: "orders", Key: { id: { S: "a" } }, ConsistentRead: true };
    expect(await sdkTransport(client).send("GetItem", input)).toStrictEqual({
      Item: { name: { S: "GetItemCommand" } },
    });
  });
});
