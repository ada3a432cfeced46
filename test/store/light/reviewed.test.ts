import { currentClaim, idempotent, memoryStore } from "lambda-once";
import { dynamoDBStore, lightClient } from "lambda-once/dynamodb/light";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { mayHaveArrived } from "../../../src/core/sendings.ts";
import { storeFailure } from "../../../src/store/failures.ts";
import { fromContainer } from "../../../src/store/light/container.ts";
import { credentialCache } from "../../../src/store/light/credentials.ts";
import { placeOf } from "../../../src/store/light/endpoint.ts";
import { checkLightOptions } from "../../../src/store/light/options.ts";
import { lightRuntime } from "../../../src/store/light/runtime.ts";
import {
  clientAt,
  failureOf,
  GET,
  handTime,
  hangUp,
  json,
  KEYS,
  type Reply,
  raw,
  refusal,
  serve,
  silence,
  withoutPauses,
} from "./kit.ts";

// Each was seen by a reviewer who tried to make the light client lie, hang or leak.

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

it("a connection whose server answered, and never reads the rest of the request, is closed", async () => {
  let ended: (() => void) | undefined;
  const closed = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const endpoint = await raw((socket) => {
    socket.once("data", () => {
      socket.pause();
      socket.write("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n");
      // The end of a paused socket is only seen once it is read again.
      setTimeout(() => socket.resume(), 400);
    });
    socket.once("close", () => ended?.());
  });
  const client = clientAt(endpoint, { runtime: lightRuntime, maxAttempts: 1, requestTimeout: { seconds: 0.2 } });
  const large = { ...GET, Key: { id: { S: "x".repeat(8_000_000) } } };
  expect(await failureOf(client.send("GetItem", large))).toMatchObject({ $metadata: { httpStatusCode: 413 } });
  await closed;
});

describe("what was never sent is known to be", () => {
  const pay = (client: ReturnType<typeof lightClient>) =>
    idempotent(
      async (_: { id: string }) => {
        currentClaim().write({ Put: { TableName: "orders", Item: { id: "o-1" } } });
        return "paid";
      },
      { store: dynamoDBStore({ client, tableName: "records" }), operation: "pay", key: "id", claimAt: "commit" },
    );

  it("without a connection", async () => {
    const endpoint = (await raw(() => {})).replace("http:", "https:"); // It never shakes hands.
    const client = lightClient({
      ...{ region: "eu-central-1", endpoint, credentials: KEYS, connectTimeout: { seconds: 0.02 }, maxAttempts: 1 },
    });
    onTestFinished(() => client.destroy());
    expect(await failureOf(pay(client)({ id: "a" }))).toMatchObject({ code: "store_failed", outcome: "known" });
  }, 60_000);

  it("where the connection ends while it shakes hands for TLS", async () => {
    const endpoint = await raw((socket) => void socket.once("data", () => socket.destroy()));
    const client = clientAt(endpoint.replace("http:", "https:"), { runtime: withoutPauses, maxAttempts: 1 });
    expect(await failureOf(pay(client)({ id: "a" }))).toMatchObject({ code: "store_failed", outcome: "known" });
  }, 60_000);

  it("by a client that was destroyed before", async () => {
    const client = lightClient({ region: "eu-central-1", endpoint: "http://127.0.0.1:1", credentials: KEYS });
    client.destroy();
    expect(await failureOf(pay(client)({ id: "a" }))).toMatchObject({ code: "store_failed", outcome: "known" });
  }, 60_000);

  it("and is not told by the error of another request", async () => {
    const runtime = handTime();
    const { endpoint, sent } = await serve(silence);
    let asked = 0;
    const credentials = async () => {
      asked += 1;
      if (asked === 1) return { ...KEYS, expiration: new Date(runtime.now() + 3_000) };
      await new Promise(setImmediate);
      throw new Error("down");
    };
    const client = clientAt(endpoint, { runtime, credentials });
    const one = failureOf(client.send("GetItem", GET));
    await expect.poll(() => sent[0]?.body).toBeTruthy();
    runtime.advance(4_000); // The first one times out, and the credentials have ended.
    const other = failureOf(client.send("GetItem", GET));
    expect((await one)["$metadata"]).toMatchObject({ attempts: 2 });
    expect(sent).toHaveLength(1);
    expect((await other)["$metadata"]).toBeUndefined();
  });

  it.each([
    ["read", true],
    ["write", true],
    ["connect", false],
    [undefined, false],
  ])("EHOSTUNREACH of the call %s may have come after it was sent: %s", (syscall, may) => {
    const cause = Object.assign(new Error("EHOSTUNREACH"), { code: "EHOSTUNREACH", syscall });
    expect(mayHaveArrived(storeFailure(cause, { operation: "TransactWriteItems", table: "t" }))).toBe(may);
  });
});

it("a commit without writes whose earlier sending may still arrive is unknown", async () => {
  const at = Date.now();
  const Item = {
    ...{ id: { S: "x" }, v: { N: "1" }, status: { S: "IN_PROGRESS" }, owner: { S: "other" }, attempt: { N: "1" } },
    ...{ steps: { M: {} }, createdAt: { N: `${at}` }, lockedUntil: { N: `${at + 30_000}` } },
    expiresAt: { N: `${Math.ceil(at / 1_000) + 90_000}` },
  };
  const quote = async (...replies: Reply[]) => {
    const { endpoint } = await serve(...replies);
    const store = dynamoDBStore({ client: clientAt(endpoint), tableName: "records" });
    return idempotent(async (_: { id: string }) => "quoted", {
      store,
      operation: "quote",
      key: "id",
      claimAt: "commit",
    });
  };
  const refused = refusal("ConditionalCheckFailedException", { Item });
  const once = await quote(refused);
  expect(await failureOf(once({ id: "a" }))).toMatchObject({ code: "in_progress" });
  const again = await quote(hangUp, refused);
  expect(await failureOf(again({ id: "a" }))).toMatchObject({ code: "store_failed", outcome: "unknown" });
});

it.each([
  ["RequestTimeoutException", refusal("RequestTimeoutException"), { attempts: 2 }],
  ["a damaged refusal", json(400, {}, { "x-amz-crc32": "1" }), { attempts: 2 }],
  ["a throttled try", refusal("ThrottlingException"), {}],
])("a refusal after %s says whether that may have been carried out", async (_, first, said) => {
  const { endpoint } = await serve(first, refusal("ConditionalCheckFailedException"));
  const error = await failureOf(clientAt(endpoint).send("GetItem", GET));
  const { httpStatusCode, attempts } = error["$metadata"] as { httpStatusCode?: number; attempts?: number };
  expect({ httpStatusCode, ...(attempts !== undefined && { attempts }) }).toStrictEqual({
    httpStatusCode: 400,
    ...said,
  });
});

it("idle connections that were dropped without a word do not use up all attempts", async () => {
  let frozen = false;
  let arrived = 0;
  const endpoint = await raw((socket) => {
    const isOld = !frozen;
    socket.on("data", (data) => {
      if (!data.toString().endsWith("}") || (isOld && frozen)) return;
      arrived += 1;
      // Three at once, so that there are three connections.
      const answer = (): unknown => (arrived < 3 ? setTimeout(answer, 5) : socket.write(OK));
      answer();
    });
  });
  const client = clientAt(endpoint, { runtime: withoutPauses, requestTimeout: { seconds: 0.3 } });
  await Promise.all([1, 2, 3].map(() => client.send("GetItem", GET)));
  frozen = true;
  expect(await client.send("GetItem", GET)).toStrictEqual({});
});

const how = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    () => "failed",
  );

describe("destroy()", () => {
  it("fails requests that wait for one of the 50 connections, and sends none of them", async () => {
    const { endpoint, sent } = await serve(...Array.from({ length: 50 }, () => silence), json(200, {}));
    const client = clientAt(endpoint, { runtime: lightRuntime, maxAttempts: 1 });
    const all = Array.from({ length: 60 }, () => how(client.send("GetItem", GET)));
    await expect.poll(() => sent.length).toBe(50);
    client.destroy();
    expect(await Promise.all(all)).toStrictEqual(all.map(() => "failed"));
    expect(sent).toHaveLength(50);
  });

  it("fails a request that waits for credentials, and does not send it", async () => {
    const { endpoint, sent } = await serve(json(200, {}));
    let give: (keys: typeof KEYS) => void = () => {};
    const credentials = () =>
      new Promise<typeof KEYS>((resolve) => {
        give = resolve;
      });
    const client = clientAt(endpoint, { runtime: lightRuntime, credentials });
    const underWay = how(client.send("GetItem", GET));
    await new Promise(setImmediate);
    client.destroy();
    give(KEYS);
    expect(await underWay).toBe("failed");
    expect(sent).toHaveLength(0);
  });
});

describe("destroy(), while a request", () => {
  const PUT = { TableName: "orders", Item: { id: { S: "o-1" } } } as never;

  it("is on a kept connection, does not tell it as never sent", async () => {
    const { endpoint, sent } = await serve(json(200, {}), silence);
    const client = clientAt(endpoint, { runtime: lightRuntime });
    await client.send("GetItem", GET);
    const events: string[] = [];
    const place = idempotent(
      async (_: { id: string }) => {
        await client.send("PutItem", PUT);
        return "placed";
      },
      { store: memoryStore(), operation: "place", key: "id", observe: ({ type }) => void events.push(type) },
    );
    const underWay = failureOf(place({ id: "a" }));
    await expect.poll(() => sent[1]?.body).toContain("o-1");
    client.destroy();
    expect(await underWay).toMatchObject({ name: "ClientDestroyed" });
    expect(events).toStrictEqual(["claimed", "held"]);
  });

  it("pauses, does not tell it as never sent either, and names the try that nobody heard of", async () => {
    const { endpoint, sent } = await serve(silence);
    const destroys = { ...lightRuntime, sleep: async () => client.destroy() };
    const client = clientAt(endpoint, { runtime: destroys, requestTimeout: { seconds: 0.1 } });
    const error = await failureOf(client.send("PutItem", PUT));
    expect(sent[0]?.body).toContain("o-1");
    expect(error).toMatchObject({ name: "ClientDestroyed", cause: { name: "TimeoutError" } });
    expect(error["$metadata"]).toStrictEqual({ sent: undefined, attempts: 2 });
  });

  it("waits for its next try, fails it at once, and not when Retry-After says", async () => {
    const { endpoint, sent } = await serve(json(503, "", { "retry-after": "4" }));
    const waits = { ...lightRuntime, sleep: () => new Promise<void>(() => {}) };
    const client = clientAt(endpoint, { runtime: waits });
    const underWay = how(client.send("GetItem", GET));
    await expect.poll(() => sent.length).toBe(1);
    await new Promise(setImmediate);
    client.destroy();
    expect(await underWay).toBe("failed");
  });
});

it("FIPS is not left out without a word for the region local", () => {
  expect(() => lightClient({ region: "local", useFips: true })).toThrow("both an endpoint and FIPS");
});

describe("credentials", () => {
  it("are not given out after their end, where their renewal fails just before it", async () => {
    const time = handTime();
    let asked = 0;
    const cache = credentialCache(() => {
      asked += 1;
      if (asked > 1) throw new Error("down");
      return { accessKeyId: "AK1", secretAccessKey: "s", expiration: new Date(time.now() + 60_000) };
    }, time);
    await cache.current();
    time.advance(59_000);
    await cache.current(); // Fails, and keeps the old ones.
    time.advance(1_001);
    expect(await failureOf(Promise.resolve(cache.current()))).toMatchObject({ name: "CredentialsProviderError" });
  });

  it("with an empty session token have none", async () => {
    const { endpoint, sent } = await serve(json(200, {}));
    const credentials = { accessKeyId: "AK", secretAccessKey: "s", sessionToken: "" };
    expect(await clientAt(endpoint, { credentials }).send("GetItem", GET)).toStrictEqual({});
    expect(sent[0]?.headers).not.toHaveProperty("x-amz-security-token");
  });

  it.each([
    ["an empty token", { Token: "", Expiration: "2099-01-01T00:00:00Z" }],
    ["null for an end", { Token: "t", Expiration: null }],
  ])("of a container, with %s, are kept", async (_, more) => {
    const box = await serve(json(200, { AccessKeyId: "AK", SecretAccessKey: "s", ...more }));
    const time = handTime();
    const cache = credentialCache(
      () => fromContainer({ AWS_CONTAINER_CREDENTIALS_FULL_URI: box.endpoint }, time),
      time,
    );
    for (let at = 0; at < 5; at++) expect(await cache.current()).toMatchObject({ accessKeyId: "AK" });
    expect(box.sent).toHaveLength(1);
  });
});

describe("as the SDK does", () => {
  it.each([
    ["x-amz-retry-after", "1500", 1_500],
    ["retry-after", "1.5", 1_500],
    ["retry-after", "3600", 5_025],
    ["retry-after", "soon", 25],
  ])("it waits as long as %s: %s says, five seconds longer at most", async (name, value, pause) => {
    const runtime = handTime();
    const { endpoint } = await serve(json(503, "", { [name]: value }), json(200, {}));
    await clientAt(endpoint, { runtime }).send("GetItem", GET);
    expect(runtime.slept).toStrictEqual([pause]);
  });

  it("it tries again after ReplicatedWriteConflictException, which says that nothing was written", async () => {
    const conflict = refusal("ReplicatedWriteConflictException");
    const { endpoint } = await serve(conflict, json(200, {}));
    expect(await clientAt(endpoint).send("GetItem", GET)).toStrictEqual({});
    const { endpoint: other } = await serve(conflict);
    expect((await failureOf(clientAt(other).send("GetItem", GET)))["$metadata"]).not.toHaveProperty("attempts");
  });

  it("it finds DynamoDB Local by the region local", () => {
    expect(placeOf("local", { endpoint: undefined, fips: false })).toMatchObject({
      ...{ protocol: "http:", host: "localhost:8000", path: "/", region: "local" },
    });
  });

  it.each(["AWS_USE_FIPS_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"])(
    "it refuses what is neither true nor false in %s",
    (name) => {
      onTestFinished(() => void vi.unstubAllEnvs());
      for (const value of ["1", "yes", "on"]) {
        vi.stubEnv(name, value);
        expect(() => checkLightOptions("lightClient", { region: "us-east-1" })).toThrow(
          `lightClient(): the environment variable ${name} is '${value}'; allowed is true or false`,
        );
      }
    },
  );
});

it("a switch of the environment is read in any case", () => {
  vi.stubEnv("AWS_ENDPOINT_URL", "http://localhost:1");
  vi.stubEnv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(checkLightOptions("lightClient", { region: "us-east-1" }).endpoint).toBeUndefined();
});

it("prewarm() of a store over a transport of one's own never throws", async () => {
  const prewarm = async (): Promise<void> => {
    throw new Error("no");
  };
  const store = dynamoDBStore({ tableName: "orders", client: { send: async () => ({}), prewarm } as never });
  await expect(store.prewarm()).resolves.toBeUndefined();
});
