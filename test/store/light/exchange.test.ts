import { execFile } from "node:child_process";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { lightRuntime } from "../../../src/store/light/runtime.ts";
import { clientAt, failureOf, GET, handTime, json, KEYS, raw, refusal, serve, silence, withoutPauses } from "./kit.ts";

/** `talk` is given each connection once its first bytes have come. */
const heard = (talk: (socket: Socket) => void): Promise<string> =>
  raw((socket) => void socket.once("data", () => talk(socket)));

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n";
const once = { maxAttempts: 1, runtime: withoutPauses } as const;

describe("an answer", () => {
  it.each([
    ["is cut off in the middle of its body", `${HEAD}Content-Length: 100\r\n\r\n{}`],
    ["is cut off in the middle of a chunk", `${HEAD}Transfer-Encoding: chunked\r\n\r\n10\r\n{}`],
    ["is cut off in its headers", HEAD],
    ["is none at all", ""],
  ])("that %s is a lost connection", async (_, text) => {
    const endpoint = await heard((socket) => socket.end(text));
    expect(await failureOf(clientAt(endpoint, once).send("GetItem", GET))).toMatchObject({ code: "ECONNRESET" });
  });

  it("that ends with its connection is whole", async () => {
    const endpoint = await heard((socket) => socket.end(`${HEAD}Connection: close\r\n\r\n{"Item":{}}`));
    expect(await clientAt(endpoint, once).send("GetItem", GET)).toStrictEqual({ Item: {} });
  });

  it("that comes byte by byte is whole", async () => {
    const endpoint = await heard((socket) => {
      const bytes = [...Buffer.from(`${HEAD}Content-Length: 25\r\n\r\n{"Item":{"a":{"S":"ö"}}}`)];
      const next = (): void => {
        const byte = bytes.shift();
        if (byte !== undefined) socket.write(Buffer.of(byte), () => setImmediate(next));
      };
      next();
    });
    expect(await clientAt(endpoint, once).send("GetItem", GET)).toStrictEqual({ Item: { a: { S: "ö" } } });
  });

  it.each([
    ["that is not HTTP", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["that switches protocols", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"],
  ])("%s is a failure", async (_, text) => {
    const endpoint = await heard((socket) => socket.end(text));
    const error = await failureOf(clientAt(endpoint, once).send("GetItem", GET));
    expect(error).toHaveProperty("code");
  });

  it("larger than 16 MB is refused, and not read on", async () => {
    let ended = false;
    const endpoint = await heard((socket) => {
      socket.on("close", () => {
        ended = true;
      });
      const part = Buffer.alloc(1024 * 1024, " ");
      const more = (): void => {
        while (!socket.destroyed && socket.write(part)) {}
      };
      socket.write(`${HEAD}\r\n`);
      socket.on("drain", more);
      more();
    });
    const error = await failureOf(clientAt(endpoint, { maxAttempts: 3 }).send("GetItem", GET));
    expect(error).toMatchObject({ name: "ResponseTooLarge", message: "the answer is larger than 16777216 bytes" });
    await expect.poll(() => ended).toBe(true);
  });
});

describe("a request", () => {
  it("without an answer ends after two seconds, and its connection is not used again", async () => {
    const runtime = handTime();
    const { endpoint, sent } = await serve(silence, json(200, {}));
    const answer = clientAt(endpoint, { runtime }).send("GetItem", GET);
    await expect.poll(() => sent[0]?.body).toBeTruthy();
    runtime.advance(1_999);
    await new Promise(setImmediate);
    expect(sent).toHaveLength(1);
    runtime.advance(1);
    expect(await answer).toStrictEqual({});
    expect(sent[0]?.from).not.toBe(sent[1]?.from);
    expect(runtime.pending()).toBe(0);
  });

  it("without an answer to any attempt is a timeout", async () => {
    const { endpoint } = await serve(silence);
    const settings = { maxAttempts: 2, requestTimeout: { seconds: 0.05 }, runtime: withoutPauses };
    expect(await failureOf(clientAt(endpoint, settings).send("GetItem", GET))).toMatchObject({
      name: "TimeoutError",
      message: "no answer within 50 ms",
    });
  });

  it("whose answer stops in the middle is a timeout", async () => {
    const endpoint = await heard((socket) => socket.write(`${HEAD}Content-Length: 100\r\n\r\n{`));
    const settings = { ...once, requestTimeout: { seconds: 0.05 } };
    expect(await failureOf(clientAt(endpoint, settings).send("GetItem", GET))).toMatchObject({ name: "TimeoutError" });
  });

  it("without a connection ends after one second", async () => {
    // An address that is set aside for documentation: packets to it go nowhere.
    const runtime = handTime();
    const client = clientAt("https://192.0.2.1", { runtime, maxAttempts: 1 });
    const answer = failureOf(client.send("GetItem", GET));
    await expect.poll(() => runtime.pending()).toBeGreaterThan(0);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    runtime.advance(1_000);
    const error = await answer;
    if (error["code"] === undefined) expect(error.message).toBe("no connection within 1000 ms");
    else expect(error["code"]).toMatch(/^E(NETUNREACH|HOSTUNREACH|CONNREFUSED|TIMEDOUT|ACCES|PERM)$/);
  });

  it("whose server never shakes hands for TLS ends after one second", async () => {
    const runtime = handTime();
    let reached = false;
    const endpoint = await heard(() => {
      reached = true;
    });
    const client = clientAt(endpoint.replace("http:", "https:"), { runtime, maxAttempts: 1 });
    const answer = failureOf(client.send("GetItem", GET));
    await expect.poll(() => reached).toBe(true);
    runtime.advance(1_000);
    expect(await answer).toMatchObject({ name: "TimeoutError", message: "no connection within 1000 ms" });
  });

  it("carries its operation and its input, and a path of the endpoint's own", async () => {
    const { endpoint, sent } = await serve(json(200, {}));
    await clientAt(`${endpoint}/proxy`).send("GetItem", GET);
    expect(sent).toMatchObject([
      {
        method: "POST",
        path: "/proxy/",
        headers: { "x-amz-target": "DynamoDB_20120810.GetItem", connection: "keep-alive" },
      },
    ]);
    expect(JSON.parse(sent[0]?.body ?? "")).toStrictEqual(GET);
  });

  it("keeps its connection, after a refusal too", async () => {
    const { endpoint, sent } = await serve(json(200, {}), refusal("ValidationException"), json(200, {}));
    const client = clientAt(endpoint);
    await client.send("GetItem", GET);
    await failureOf(client.send("GetItem", GET));
    await client.send("GetItem", GET);
    expect(new Set(sent.map(({ from }) => from)).size).toBe(1);
  });

  it("with half of a character is never sent", async () => {
    const { endpoint, sent } = await serve(json(200, {}));
    const input = { ...GET, Key: { id: { S: "\ud800" } } };
    expect(await failureOf(clientAt(endpoint).send("GetItem", input))).toMatchObject({
      name: "SerializationException",
    });
    expect(sent).toHaveLength(0);
  });

  it("leaves nothing that keeps a process alive", async () => {
    const { endpoint } = await serve(json(200, {}));
    const program = `
      const { lightClient } = await import("lambda-once/dynamodb/light");
      const client = lightClient({ region: "eu-central-1", endpoint: ${JSON.stringify(endpoint)}, credentials: ${JSON.stringify(KEYS)} });
      await client.send("GetItem", ${JSON.stringify(GET)});
      const before = Date.now();
      process.on("exit", () => console.log(Date.now() - before));`;
    const flags = ["--conditions=lambda-once-source", "--import", "tsx", "--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, flags);
    expect(Number(stdout)).toBeLessThan(1_000);
  });
});

describe("a refusal", () => {
  it("carries what DynamoDB says, bytes as bytes", async () => {
    const Item = { id: { S: "a" }, result: { B: "AAF/" } };
    const CancellationReasons = [{ Code: "None" }, { Code: "ConditionalCheckFailed", Message: "no", Item }];
    const headers = { "x-amzn-requestid": "R1" };
    const { endpoint } = await serve(refusal("TransactionCanceledException", { CancellationReasons }, 400, headers));
    const send = clientAt(endpoint).send("TransactWriteItems", { TransactItems: [], ClientRequestToken: "t" });
    const error = await failureOf(send);
    expect(error).toMatchObject({
      name: "TransactionCanceledException",
      message: "TransactionCanceledException (injected)",
      $metadata: { httpStatusCode: 400, requestId: "R1" },
    });
    expect(error["CancellationReasons"]).toStrictEqual([
      { Code: "None" },
      {
        Code: "ConditionalCheckFailed",
        Message: "no",
        Item: { id: { S: "a" }, result: { B: Uint8Array.of(0, 1, 127) } },
      },
    ]);
  });

  it.each([
    ["com.amazonaws.dynamodb.v20120810#ValidationException", "ValidationException"],
    ["ValidationException:http://internal.amazon.com/coral/", "ValidationException"],
    ["ValidationException", "ValidationException"],
  ])("by %s has the name %s", async (__type, name) => {
    const { endpoint } = await serve(json(400, { __type, Message: "no" }));
    expect(await failureOf(clientAt(endpoint).send("GetItem", GET))).toMatchObject({ name, message: "no" });
    const { endpoint: other } = await serve(json(400, {}, { "x-amzn-errortype": __type }));
    expect(await failureOf(clientAt(other).send("GetItem", GET))).toMatchObject({ name });
  });

  it("costs no stack, and leaves those of other errors as long as they were", async () => {
    const { endpoint } = await serve(refusal("ConditionalCheckFailedException"));
    const { stackTraceLimit } = Error;
    const error = await failureOf(clientAt(endpoint).send("GetItem", GET));
    expect(error.stack).not.toMatch(/\n\s+at /);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  it("cannot change what an error is", async () => {
    const { endpoint } = await serve(
      json(400, '{"__type":"X","stack":"s","name":"n","cause":"c","__proto__":{"code":"ECONNRESET"}}'),
    );
    const error = await failureOf(clientAt(endpoint).send("GetItem", GET));
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("X");
    expect(error.stack).not.toBe("s");
    expect(error).not.toHaveProperty("cause");
    expect(error).not.toHaveProperty("code");
  });

  it("of a signature does not show the session token that AWS repeats in it", async () => {
    const message = `The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'POST\nx-amz-security-token:${KEYS.sessionToken}'`;
    const { endpoint } = await serve(refusal("InvalidSignatureException", { message }));
    const error = await failureOf(clientAt(endpoint).send("GetItem", GET));
    expect(error.message).toBe("The request signature we calculated does not match.");
  });
});

describe("a client", () => {
  it("knows its region", async () => {
    expect(await clientAt("http://localhost:1", { region: "eu-west-3" }).region?.()).toBe("eu-west-3");
  });

  it("that is prewarmed has its connection, its credentials and no other request", async () => {
    const { endpoint, sent } = await serve(json(400, "<html>"), json(200, {}));
    let asked = 0;
    const credentials = () => {
      asked += 1;
      return KEYS;
    };
    const client = clientAt(endpoint, { credentials });
    await client.prewarm();
    expect(sent).toMatchObject([{ method: "GET", path: "/", body: "" }]);
    expect(sent[0]?.headers).not.toHaveProperty("authorization");
    await client.send("GetItem", GET);
    expect(asked).toBe(1);
    expect(sent[1]?.from).toBe(sent[0]?.from);
  });

  it("never fails to prewarm", async () => {
    const down = clientAt("http://127.0.0.1:1", {
      credentials: () => {
        throw new Error("down");
      },
    });
    await expect(down.prewarm()).resolves.toBeUndefined();
    down.destroy();
    await expect(down.prewarm()).resolves.toBeUndefined();
  });

  it("that is destroyed fails what is under way, without another attempt, and what comes", async () => {
    const { endpoint, sent } = await serve(silence);
    const client = clientAt(endpoint, { runtime: lightRuntime });
    const underWay = failureOf(client.send("GetItem", GET));
    await expect.poll(() => sent[0]?.body).toBeTruthy();
    client.destroy();
    expect(await underWay).toMatchObject({ code: "ECONNRESET" });
    expect(await failureOf(client.send("GetItem", GET))).toMatchObject({ name: "ClientDestroyed" });
    expect(sent).toHaveLength(1);
  });
});
