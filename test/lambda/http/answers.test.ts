import { describe, expect, it, vi } from "vitest";
import { created, endpoint, eventOf, FRONT_ENDS, KINDS, problemOf, userOf } from "./kit.ts";

const TYPE = "https://lambda-once.dev/problems/";

describe.each(FRONT_ENDS)("http() under %s", (_, make) => {
  describe.each(KINDS)("behind a %s", (kind) => {
    const open = (options = {}, more = {}) => endpoint(options, { make, kind, ...more });

    it("gives the first answer as it is, and repeats its status, body and allowed headers (bad input: replay)", async () => {
      const { send, handler } = open();
      expect((await send()).raw).toStrictEqual(created);
      const again = await send();
      expect(again.status).toBe(201);
      expect(again.body).toBe(created.body);
      expect(again.headers).toStrictEqual({
        "content-type": "application/json",
        location: "/orders/1",
        "idempotent-replayed": "true",
      });
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it("answers a request without a key 400, with a problem and a link to its page (bad input: none, where one is required)", async () => {
      const { send, handler, store } = open();
      const answer = await send({ headers: { "Idempotency-Key": "-" } });
      expect(answer.status).toBe(400);
      expect(problemOf(answer)).toStrictEqual({
        type: `${TYPE}key_missing`,
        title: "The idempotency key is missing or cannot be read",
        status: 400,
        detail: expect.stringContaining("Idempotency-Key"),
        code: "key_missing",
      });
      expect(answer.headers["link"]).toBe(`<${TYPE}key_missing>; rel="describedby"; type="text/html"`);
      expect([handler.mock.calls.length, store.records().length]).toStrictEqual([0, 0]);
    });

    it("answers a key that was used for another body 422, and leaves its record alone (P4)", async () => {
      const { send, handler, store } = open();
      await send();
      const before = store.records();
      const answer = await send({ body: '{"sku":"b"}' });
      expect([answer.status, problemOf(answer)["type"]]).toStrictEqual([422, `${TYPE}key_reused`]);
      expect(store.records()).toStrictEqual(before);
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it("answers a repetition while the first runs 409, and says when to come back (bad input: reused while the first runs)", async () => {
      const { send, handler } = open();
      let finish: (value: unknown) => void = () => {};
      handler.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)));
      const first = send();
      await vi.waitFor(() => expect(handler).toHaveBeenCalled());
      const answer = await send();
      expect([answer.status, problemOf(answer)["code"], answer.headers["retry-after"]]).toStrictEqual([
        409,
        "in_progress",
        "2",
      ]);
      finish(created);
      expect((await first).status).toBe(201);
      expect((await send()).headers["idempotent-replayed"]).toBe("true");
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it("answers 503 where the store fails, without naming the table or the permission", async () => {
      const { send, handler, store } = open();
      store.failNext("claim");
      const answer = await send();
      expect([answer.status, problemOf(answer)["code"], answer.headers["retry-after"]]).toStrictEqual([
        503,
        "store_failed",
        "2",
      ]);
      expect(problemOf(answer)["detail"]).toContain("Try again in 2 s");
      expect(JSON.stringify(answer)).not.toMatch(/dynamodb|table|PutItem|failNext|access/i);
      expect(handler).not.toHaveBeenCalled();
    });

    it("never answers one user with another one's answer (P17; bad input: user B with user A's key)", async () => {
      const { send, handler, store } = open();
      handler.mockImplementation(async (event) => ({ statusCode: 200, body: String(userOf(event)) }));
      const ann = await send({ user: "ann" });
      const ben = await send({ user: "ben" });
      expect(ben.body).not.toBe(ann.body);
      expect(ben.headers["idempotent-replayed"]).toBeUndefined();
      expect((await send({ user: "ann" })).body).toBe(ann.body);
      expect([handler.mock.calls.length, store.records().length]).toStrictEqual([2, 2]);
    });

    it("answers a request without a principal 401", async () => {
      const { send, handler } = open({ principal: () => undefined });
      const answer = await send();
      expect([answer.status, problemOf(answer)["code"], answer.headers["www-authenticate"]]).toStrictEqual([
        401,
        "principal_missing",
        "Bearer",
      ]);
      expect(handler).not.toHaveBeenCalled();
    });

    it.each(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])(
      "runs %s each time and claims nothing (bad input: GET with a key)",
      async (method) => {
        const { send, handler, store, events } = open();
        for (let again = 0; again < 2; again++) expect((await send({ method })).raw).toStrictEqual(created);
        expect(handler).toHaveBeenCalledTimes(2);
        expect(store.records()).toStrictEqual([]);
        expect(events.map(({ type }) => type)).toStrictEqual(["unheld", "unheld"]);
      },
    );

    it.each([500, 503, 404, 402, 409, 412, 429, 401])(
      "gives a %i to its caller and remembers nothing (P20; bad input: returns 503 (http))",
      async (statusCode) => {
        const { send, handler, store } = open();
        handler.mockResolvedValueOnce({ statusCode, body: "not now" });
        expect((await send()).raw).toStrictEqual({ statusCode, body: "not now" });
        expect(store.records()).toStrictEqual([]);
        expect((await send()).raw).toStrictEqual(created);
      },
    );

    it.each([200, 204, 303, 400, 405, 410, 413, 415, 422])("remembers a %i", async (statusCode) => {
      const { send, handler } = open();
      handler.mockResolvedValueOnce({ statusCode, body: "so be it" });
      await send();
      expect(await send()).toMatchObject({
        status: statusCode,
        body: "so be it",
        headers: { "idempotent-replayed": "true" },
      });
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it("lets what the handler throws through as it is, and remembers nothing", async () => {
      const { send, handler, store } = open();
      const conflict = Object.assign(new Error("sold out"), { statusCode: 422, expose: true });
      handler.mockRejectedValueOnce(conflict);
      await expect(send()).rejects.toBe(conflict);
      expect(store.records()).toStrictEqual([]);
      expect((await send()).status).toBe(201);
    });

    it("says by option what became of a request", async () => {
      const { send } = open({ statusHeader: true });
      const first = await send();
      expect(first.headers).toMatchObject({
        "idempotency-status": "executed",
        "set-cookie": "session=1",
        "x-trace": "t-1",
      });
      expect((await send()).headers["idempotency-status"]).toBe("replayed");
      expect((await send({ body: "{}" })).headers["idempotency-status"]).toBe("key_reused");
      expect((await send({ method: "GET" })).headers["idempotency-status"]).toBeUndefined();
    });

    it("asks whether the caller may do it before every replay: a role that was taken away ends them", async () => {
      const may = vi.fn(async () => true);
      const { send, handler, store } = open({ authorize: may });
      await send();
      may.mockResolvedValue(false);
      const before = store.records();
      const answer = await send();
      expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([403, "forbidden"]);
      expect(JSON.stringify(answer)).not.toContain("/orders/1");
      expect(store.records()).toStrictEqual(before);
      may.mockResolvedValue(true);
      expect((await send()).headers["idempotent-replayed"]).toBe("true");
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it("refuses a first request whose caller may not do it: nothing runs", async () => {
      const { send, handler, store } = open({ authorize: () => false });
      expect((await send()).status).toBe(403);
      expect((await send({ method: "GET" })).status).toBe(403);
      expect((await send({ method: "OPTIONS" })).status).toBe(403);
      expect([handler.mock.calls.length, store.records().length]).toStrictEqual([0, 0]);
    });

    it("brings a body back that is base64", async () => {
      const { send, handler } = open();
      const picture = {
        statusCode: 200,
        headers: { "content-type": "image/png", "content-encoding": "gzip" },
        body: "iVBORw0KGgo=",
        isBase64Encoded: true,
      };
      handler.mockResolvedValueOnce(picture);
      await send();
      const { raw, headers } = await send();
      expect(raw).toMatchObject({ statusCode: 200, body: picture.body, isBase64Encoded: true });
      expect(headers).toMatchObject(picture.headers);
    });

    it("refuses a header with a line break, the same on every later call and without a second run", async () => {
      const { send, handler } = open();
      handler.mockResolvedValue({ statusCode: 201, headers: { "X-Name": "a\r\nSet-Cookie: admin=1" }, body: "x" });
      for (let again = 0; again < 3; again++) {
        const answer = await send();
        expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([500, "result_unstorable"]);
        expect(JSON.stringify(answer)).not.toMatch(/admin|X-Name|line break/);
      }
      expect(handler).toHaveBeenCalledTimes(1);
    });
  });
});

describe("the form of an answer", () => {
  it("is lists of headers for a load balancer that reads nothing else, and a status text", async () => {
    const { send } = endpoint({}, { kind: "load balancer with lists" });
    await send();
    const { raw } = await send();
    expect(raw["multiValueHeaders"]).toStrictEqual({ "Idempotent-Replayed": ["true"] });
    const refused = await send({ headers: { "Idempotency-Key": "-" } });
    expect(refused.raw).toMatchObject({ statusDescription: "400 Bad Request", isBase64Encoded: false });
    expect(refused.raw["headers"]).toBeUndefined();
    expect(refused.raw["multiValueHeaders"]).toMatchObject({ "Content-Type": ["application/problem+json"] });
  });

  it("keeps lists of headers, and drops the cookies among them", async () => {
    const { send, handler } = endpoint({ responseHeaders: ["X-Rate"] }, { kind: "REST API" });
    handler.mockResolvedValue({
      statusCode: 200,
      multiValueHeaders: { "x-rate": ["1", "2"], "Set-Cookie": ["a=1", "b=2"] },
    });
    await send();
    expect((await send()).raw).toStrictEqual({
      statusCode: 200,
      multiValueHeaders: { "x-rate": ["1", "2"] },
      headers: { "Idempotent-Replayed": "true" },
    });
  });

  it.each([
    [{ id: 1 }, '{"id":1}'],
    ["done", "done"],
    [undefined, "null"],
    [null, "null"],
    [0, "0"],
    [[1], "[1]"],
  ])("of a payload 2.0 result %j without a status is a 200", async (result, body) => {
    const { send, handler, sendEvent } = endpoint();
    handler.mockResolvedValue(result);
    await sendEvent(eventOf("HTTP API"));
    expect((await send()).raw).toStrictEqual({
      statusCode: 200,
      headers: { "content-type": "application/json", "Idempotent-Replayed": "true" },
      body,
    });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("is refused for a cookie with a line break", async () => {
    const { send, handler } = endpoint();
    handler.mockResolvedValue({ statusCode: 200, cookies: ["a=1", "b=2\r\nX-Injected: 1"], body: "" });
    expect((await send()).status).toBe(500);
    handler.mockResolvedValue({ statusCode: 200, cookies: ["a=1"], body: "" });
    await send({ headers: { "Idempotency-Key": "k-2" } });
    expect((await send({ headers: { "Idempotency-Key": "k-2" } })).raw["cookies"]).toBeUndefined();
  });

  it("keeps the headers that are named, in any letter case", async () => {
    const { send } = endpoint({ responseHeaders: ["x-TRACE"] });
    await send();
    expect((await send()).headers["x-trace"]).toBe("t-1");
  });

  it("says to come back when the lock ends, and no later than `retryAfter`", async () => {
    const { send, handler, store } = endpoint({ retryAfter: { seconds: 20 } }, { lockFor: { seconds: 12 } });
    handler.mockImplementation(() => new Promise(() => {}));
    void send();
    await vi.waitFor(() => expect(handler).toHaveBeenCalled());
    expect((await send()).headers["retry-after"]).toBe("12");
    store.advance({ seconds: 11.5 });
    expect((await send()).headers["retry-after"]).toBe("1");
  });

  it("shows problem types under a base of one's own", async () => {
    const { send } = endpoint({ problems: "https://docs.shop.example/errors#" });
    const answer = await send({ headers: { "Idempotency-Key": "-" } });
    expect(problemOf(answer)["type"]).toBe("https://docs.shop.example/errors#key_missing");
  });

  it("keeps what is stored apart from what `remember` is shown: the whole result", async () => {
    const remember = vi.fn(() => "keep" as const);
    const { send } = endpoint({}, { remember });
    await send();
    expect(remember).toHaveBeenCalledWith({ status: "returned", result: created }, expect.anything());
  });
});

describe("Repeatability-First-Sent", () => {
  const sentAt = (ago: number) => ({
    headers: { "Repeatability-First-Sent": new Date(Date.now() - ago).toUTCString() },
  });
  const HOUR = 3_600_000;

  it("older than the retention is answered 412, and nothing runs", async () => {
    const { send, handler, store } = endpoint({}, { expiresAfter: { hours: 2 } });
    const answer = await send(sentAt(2 * HOUR + 1_000));
    expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([412, "request_too_old"]);
    expect([handler.mock.calls.length, store.records().length]).toStrictEqual([0, 0]);
  });

  it("within the retention changes nothing", async () => {
    const { send, handler } = endpoint({}, { expiresAfter: { hours: 2 } });
    const sent = sentAt(2 * HOUR - 60_000);
    expect((await send(sent)).status).toBe(201);
    expect((await send(sent)).headers["idempotent-replayed"]).toBe("true");
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each(["yesterday", "", "2026-11-21T08:00:00Z", "Sun, 99 Nov 1994 08:49:37 GMT"])(
    "that is no HTTP date (%j) is a 400",
    async (date) => {
      const { send, handler } = endpoint();
      expect((await send({ headers: { "Repeatability-First-Sent": date } })).status).toBe(400);
      expect(handler).not.toHaveBeenCalled();
    },
  );
});
