import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it, vi } from "vitest";
import { rememberUserAgent } from "../../src/store/quickened.ts";
import { ownClient } from "../../src/store/sdk.ts";

type Headers = Readonly<Record<string, string>>;
const put = new PutItemCommand({ TableName: "orders", Item: { id: { S: "a" } } });
const get = new GetItemCommand({ TableName: "orders", Key: { id: { S: "a" } } });

/** A client of the SDK, how often it puts its user agent together, and the headers of what it sends. */
function listening(remembers: boolean) {
  const sent: Headers[] = [];
  const handle = async ({ headers }: { headers: Headers }) => {
    sent.push({ ...headers });
    return { response: { statusCode: 200, headers: {} } };
  };
  const defaultUserAgentProvider = vi.fn(
    async (): Promise<[string, string][]> => [
      ["aws-sdk-js", "3"],
      ["os/ours", "1"],
    ],
  );
  const client = new DynamoDBClient({
    region: "eu-central-1",
    credentials: { accessKeyId: "id", secretAccessKey: "key" },
    requestHandler: { handle } as never,
    customUserAgent: [["orders", "2.0"]],
    userAgentAppId: "shop",
    cacheMiddleware: true,
    defaultUserAgentProvider,
  } as never);
  if (remembers) rememberUserAgent(client.middlewareStack as never);
  return { client, sent, made: () => defaultUserAgentProvider.mock.calls.length };
}

/** The headers that do not differ from one sending to the next. */
const lasting = ({ authorization, "x-amz-date": _, "amz-sdk-invocation-id": __, ...others }: Headers): Headers => ({
  ...others,
  signs: /SignedHeaders=(\S+),/.exec(authorization ?? "")?.[1] ?? "",
});

describe("the user agent of the client that we make", () => {
  it("is the one that the SDK puts together for each request, put together once for each kind of command", async () => {
    const [own, theirs] = [listening(true), listening(false)];
    for (const { client } of [own, theirs]) {
      for (const command of [put, get, put, put, get]) await client.send(command as never);
    }
    expect(own.sent.map(lasting)).toStrictEqual(theirs.sent.map(lasting));
    expect(own.sent[3]?.["user-agent"]).toMatch(/^aws-sdk-js\/3 os\/ours#1 m\/\S+ app\/shop orders\/2\.0$/);
    expect(own.sent[3]?.["x-amz-user-agent"]).toBe("aws-sdk-js/3 orders/2.0");
    expect([own.made(), theirs.made()]).toStrictEqual([2, 5]);
  });

  it("is made again where one could not be", async () => {
    const { client, sent, made } = listening(true);
    const { config } = client as unknown as { config: { userAgentAppId: () => Promise<string> } };
    const { userAgentAppId } = config;
    config.userAgentAppId = () => Promise.reject(new Error("not now"));
    await expect(client.send(put)).rejects.toThrow("not now");
    config.userAgentAppId = userAgentAppId;
    await client.send(put);
    await client.send(put);
    expect(sent.map((headers) => headers["user-agent"]?.includes("app/shop"))).toStrictEqual([true, true]);
    expect(made()).toBe(2);
  });

  it("is remembered by the client of dynamoDBStore(), as one of the same steps", async () => {
    const { config, middlewareStack } = new DynamoDBClient({ region: "eu-central-1" });
    middlewareStack.remove("loggerMiddleware");
    const own = ownClient({ region: "eu-central-1" });
    expect([...own.middlewareStack.identify()].sort()).toStrictEqual([...middlewareStack.identify()].sort());
    const made = vi.fn(config.defaultUserAgentProvider);
    const requestHandler = { handle: async () => ({ response: { statusCode: 200, headers: {} } }) };
    const credentials = async () => ({ accessKeyId: "id", secretAccessKey: "key" });
    Object.assign(own.config, { requestHandler, credentials, defaultUserAgentProvider: made });
    for (let call = 0; call < 3; call++) await own.send(put);
    expect(made).toHaveBeenCalledTimes(1);
  });

  it("is left to a client that has no such step", () => {
    const { middlewareStack } = new DynamoDBClient({ region: "eu-central-1" });
    middlewareStack.remove("getUserAgentMiddleware");
    const before = middlewareStack.identify();
    rememberUserAgent(middlewareStack as never);
    expect(middlewareStack.identify()).toStrictEqual(before);
  });
});
