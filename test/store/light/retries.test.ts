import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { clientAt, failureOf, GET, handTime, hangUp, json, refusal, serve } from "./kit.ts";

const ITEM = { Item: { id: { S: "a" } } };
const found = json(200, ITEM);

describe("a request is tried again", () => {
  it.each([
    ["a lost connection", hangUp, 25, 50],
    ["status 500", refusal("InternalServerError", {}, 500), 25, 50],
    ["a proxy's page and status 502", json(502, "<html>"), 25, 50],
    ["a proxy's page and status 503", json(503, "<html>"), 25, 50],
    ["status 504 without a body", json(504, ""), 25, 50],
    ["throttling", refusal("ProvisionedThroughputExceededException"), 500, 1_000],
    ["throttling by status", refusal("SomethingNew", {}, 429), 500, 1_000],
    ["an answer that is damaged", json(200, ITEM, { "x-amz-crc32": 1 }), 25, 50],
    ["an answer that is not JSON", json(200, "<html>"), 25, 50],
    ["an answer that is empty", json(200, ""), 25, 50],
    ["an answer that is no object", json(200, "[]"), 25, 50],
  ])("after %s, with a pause of random length that grows", async (_, reply, first, second) => {
    const runtime = handTime();
    const { endpoint, sent } = await serve(reply, reply, found);
    expect(await clientAt(endpoint, { runtime }).send("GetItem", GET)).toStrictEqual(ITEM);
    expect(runtime.slept).toStrictEqual([first, second]);
    expect(new Set(sent.map(({ body }) => body)).size).toBe(1);
    expect(runtime.pending()).toBe(0);
  });

  it("three times, or as often as is allowed, and then fails with what came last", async () => {
    const { endpoint, sent } = await serve(refusal("ThrottlingException"));
    expect(await failureOf(clientAt(endpoint).send("GetItem", GET))).toMatchObject({ name: "ThrottlingException" });
    expect(sent).toHaveLength(3);
    await failureOf(clientAt(endpoint, { maxAttempts: 1 }).send("GetItem", GET));
    expect(sent).toHaveLength(4);
  });

  it.each([
    ["a lost connection", hangUp, 2],
    ["status 500", refusal("InternalServerError", {}, 500), 2],
    ["throttling, which nothing survives,", refusal("ThrottlingException"), undefined],
  ])("and after %s a refusal says whether an earlier sending may still arrive", async (_, reply, attempts) => {
    const { endpoint } = await serve(reply, refusal("TransactionCanceledException"));
    const error = await failureOf(clientAt(endpoint, { runtime: handTime() }).send("GetItem", GET));
    expect(error).toMatchObject({ name: "TransactionCanceledException", $metadata: { httpStatusCode: 400 } });
    expect((error["$metadata"] as { attempts?: number }).attempts).toBe(attempts);
  });

  it("signed anew, with the time that it is then", async () => {
    const { endpoint, sent } = await serve(refusal("ThrottlingException"), found);
    await clientAt(endpoint, { runtime: handTime(Date.UTC(2026, 0, 1) + 900) }).send("GetItem", GET);
    expect(sent.map(({ headers }) => headers["x-amz-date"])).toStrictEqual(["20260101T000000Z", "20260101T000001Z"]);
    expect(sent[0]?.headers.authorization).not.toBe(sent[1]?.headers.authorization);
  });

  it.each([
    ["ConditionalCheckFailedException", 400],
    ["TransactionConflictException", 400],
    ["TransactionCanceledException", 400],
    ["ValidationException", 400],
    ["ResourceNotFoundException", 400],
    ["AccessDeniedException", 400],
    ["SomethingNew", 400],
    ["SomethingNew", 501],
  ])("not after %s", async (type, status) => {
    const { endpoint, sent } = await serve(refusal(type, {}, status));
    expect(await failureOf(clientAt(endpoint).send("GetItem", GET))).toMatchObject({ name: type });
    expect(sent).toHaveLength(1);
  });

  it("not after a redirect, which is not followed", async () => {
    const elsewhere = await serve(found);
    const { endpoint, sent } = await serve(json(307, "", { location: elsewhere.endpoint }));
    expect(await failureOf(clientAt(endpoint).send("GetItem", GET))).toMatchObject({
      $metadata: { httpStatusCode: 307 },
    });
    expect([sent.length, elsewhere.sent.length]).toStrictEqual([1, 0]);
  });

  it("as long as the budget of the client lasts, which answers fill up again", async () => {
    const down = refusal("InternalServerError", {}, 500);
    const { endpoint, sent } = await serve(
      ...Array(72).fill(down),
      ...Array(10).fill(refusal("ValidationException")),
      down,
    );
    const client = clientAt(endpoint);
    const tries = async (): Promise<number> => {
      const before = sent.length;
      await failureOf(client.send("GetItem", GET));
      return sent.length - before;
    };
    // A budget of 500 is 35 retries at 14 each: 17 requests with two, one with one, and none more. 10 are left, and
    // 10 answers make one more retry of it.
    for (let request = 0; request < 17; request++) expect(await tries()).toBe(3);
    expect(await tries()).toBe(2);
    for (let request = 0; request < 19; request++) expect(await tries()).toBe(1);
    for (let request = 0; request < 10; request++) expect(await tries()).toBe(1);
    expect(await tries()).toBe(2);
  });

  it("at once on a new connection, where the server has closed the idle one", async () => {
    const runtime = handTime();
    const server = await serve(found, found, hangUp, found);
    const client = clientAt(server.endpoint, { runtime, maxAttempts: 1 });
    await Promise.all([client.send("GetItem", GET), client.send("GetItem", GET)]);
    expect(await client.send("GetItem", GET)).toStrictEqual(ITEM);
    expect(runtime.slept).toStrictEqual([]);
    const [first, second, stale, fresh] = server.sent.map(({ from }) => from);
    expect([first, second]).toContain(stale);
    expect([first, second]).not.toContain(fresh);
  });

  it("at once only once", async () => {
    const { endpoint, sent } = await serve(found, hangUp);
    const client = clientAt(endpoint, { maxAttempts: 2 });
    await client.send("GetItem", GET);
    expect(await failureOf(client.send("GetItem", GET))).toMatchObject({ code: "ECONNRESET" });
    expect(sent).toHaveLength(1 + 3);
  });
});

describe("the clock", () => {
  const dated = (type: string, at: number) => refusal(type, {}, 400, { date: new Date(at).toUTCString() });
  const signedAt = (date: unknown): number =>
    Date.parse(String(date).replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));

  it.each(["InvalidSignatureException", "RequestTimeTooSkewed", "RequestExpired"])(
    "is set by the service's after %s, once for all requests to come",
    async (type) => {
      const runtime = handTime(Date.UTC(2026, 0, 1));
      const theirs = runtime.now() + 3_600_000;
      const { endpoint, sent } = await serve(dated(type, theirs), found);
      const client = clientAt(endpoint, { runtime, maxAttempts: 1 });
      await client.send("GetItem", GET);
      await client.send("GetItem", GET);
      const [, corrected, later] = sent.map(({ headers }) => signedAt(headers["x-amz-date"]));
      expect([corrected, later]).toStrictEqual([theirs, theirs]);
      expect(sent).toHaveLength(3);
      expect(runtime.slept).toStrictEqual([]);
    },
  );

  it("is set once for a request, and its failure is about the credentials", async () => {
    const { endpoint, sent } = await serve((response, request) =>
      dated("InvalidSignatureException", Date.now() + 3_600_000 * (1 + sent.length))(response, request),
    );
    expect(await failureOf(clientAt(endpoint).send("GetItem", GET))).toMatchObject({
      name: "InvalidSignatureException",
    });
    expect(sent).toHaveLength(2);
  });

  it("is set back when the machine's own has been mended", async () => {
    const runtime = handTime(Date.UTC(2026, 0, 1));
    const right = runtime.now() + 3_600_000;
    const wrong = dated("InvalidSignatureException", right);
    const { endpoint, sent } = await serve(wrong, found, wrong, found);
    const client = clientAt(endpoint, { runtime });
    await client.send("GetItem", GET);
    runtime.advance(3_600_000);
    await client.send("GetItem", GET);
    expect(signedAt(sent.at(-1)?.headers["x-amz-date"])).toBe(right);
  });

  it.each([
    ["a signature that is wrong although the clocks agree", dated("InvalidSignatureException", Date.now())],
    ["no date at all", refusal("InvalidSignatureException", {}, 400, { date: "soon" })],
    ["another error", dated("ValidationException", Date.now() + 3_600_000)],
  ])("is left alone after %s", async (_, reply) => {
    const { endpoint, sent } = await serve(reply);
    await failureOf(clientAt(endpoint).send("GetItem", GET));
    expect(sent).toHaveLength(1);
  });
});

describe("credentials that are refused", () => {
  const fresh = () => {
    let asked = 0;
    return () => {
      asked += 1;
      return { accessKeyId: `AK${asked}`, secretAccessKey: "verysecret" };
    };
  };
  const idOf = (authorization: string | undefined) => /Credential=(\w+)/.exec(authorization ?? "")?.[1];

  it.each(["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException"])(
    "by %s are renewed, and the request is sent once more",
    async (type) => {
      const { endpoint, sent } = await serve(refusal(type), found);
      const client = clientAt(endpoint, { credentials: fresh(), maxAttempts: 1 });
      expect(await client.send("GetItem", GET)).toStrictEqual(ITEM);
      expect(sent.map(({ headers }) => idOf(headers.authorization))).toStrictEqual(["AK1", "AK2"]);
    },
  );

  it("twice fail as they were refused", async () => {
    const { endpoint, sent } = await serve(refusal("ExpiredTokenException"));
    expect(await failureOf(clientAt(endpoint, { credentials: fresh() }).send("GetItem", GET))).toMatchObject({
      name: "ExpiredTokenException",
    });
    expect(sent).toHaveLength(2);
  });

  it("and are the only ones fail at once", async () => {
    const { endpoint, sent } = await serve(refusal("UnrecognizedClientException"));
    await failureOf(clientAt(endpoint).send("GetItem", GET));
    expect(sent).toHaveLength(1);
  });

  it("and cannot be renewed fail as they were refused", async () => {
    const { endpoint } = await serve(refusal("ExpiredTokenException"));
    const given = fresh();
    let asked = 0;
    const credentials = () => {
      asked += 1;
      if (asked > 1) throw new Error("down");
      return given();
    };
    expect(await failureOf(clientAt(endpoint, { credentials }).send("GetItem", GET))).toMatchObject({
      name: "ExpiredTokenException",
    });
  });
});

describe("a checksum", () => {
  it("that fits is accepted, over what was sent and not over what it means", async () => {
    const body = '{ "Item" : {"id":{"S":"größer"}} }';
    const { endpoint, sent } = await serve(json(200, body, { "x-amz-crc32": crc32(body) }));
    expect(await clientAt(endpoint).send("GetItem", GET)).toStrictEqual({ Item: { id: { S: "größer" } } });
    expect(sent).toHaveLength(1);
  });

  it("that does not fit a refusal makes it a failure of the way", async () => {
    const { endpoint, sent } = await serve(refusal("ConditionalCheckFailedException", {}, 400, { "x-amz-crc32": 1 }));
    expect(await failureOf(clientAt(endpoint).send("GetItem", GET))).toMatchObject({ name: "ChecksumMismatch" });
    expect(sent).toHaveLength(3);
  });
});
