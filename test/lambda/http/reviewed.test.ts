import httpJsonBodyParser from "@middy/http-json-body-parser";
import { describe, expect, it } from "vitest";
import { type HttpEvent, http } from "../../../src/http.ts";
import { idempotency } from "../../../src/middy.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { MIDDIES } from "../middies.ts";
import { type Answer, answerOf, created, endpoint, eventOf, FRONT_ENDS, KINDS, problemOf } from "./kit.ts";

// Each of these faults was seen by a reviewer.

const PREFLIGHT = { Origin: "https://shop.example", "Access-Control-Request-Method": "POST" };
const text = (body: string, headers = {}): HttpEvent => eventOf("HTTP API", { body, headers });
const left = (body: unknown, more: object = {}): HttpEvent => ({ ...text(""), body, ...more });

/** Whether the second event is told from the first one, with a 422. */
async function differ(one: HttpEvent, other: HttpEvent): Promise<void> {
  const { sendEvent, handler } = endpoint();
  expect((await sendEvent(one)).status).toBe(201);
  expect((await sendEvent(other)).status).toBe(422);
  expect((await sendEvent(one)).headers["idempotent-replayed"]).toBe("true");
  expect(handler).toHaveBeenCalledTimes(1);
}

async function same(one: HttpEvent, other: HttpEvent): Promise<void> {
  const { sendEvent } = endpoint();
  await sendEvent(one);
  expect((await sendEvent(other)).headers["idempotent-replayed"]).toBe("true");
}

describe.each(KINDS)("authorize behind a %s", (kind) => {
  // Seen by a reviewer: OPTIONS ran the handler for everybody.
  it.each([
    ["without any header", {}],
    ["without the method that is asked for", { headers: { Origin: "https://shop.example" } }],
    ["without an origin", { headers: { "Access-Control-Request-Method": "POST" } }],
    ["with a body", { headers: PREFLIGHT, body: "{}" }],
  ])("is asked for an OPTIONS %s", async (_, sent) => {
    const { send, handler } = endpoint({ authorize: () => false }, { kind });
    expect((await send({ method: "OPTIONS", body: "", ...sent })).status).toBe(403);
    expect(handler).not.toHaveBeenCalled();
  });

  it("is not asked for a CORS preflight, which carries no credentials", async () => {
    const { send } = endpoint({ authorize: () => false }, { kind });
    expect((await send({ method: "OPTIONS", headers: PREFLIGHT, body: "" })).status).toBe(201);
  });
});

describe("the query in the fingerprint", () => {
  // Seen by a reviewer: an empty map beside the full one hid the query.
  const rest = (single: object | null, lists: object | null): HttpEvent => ({
    ...eventOf("REST API"),
    queryStringParameters: single as never,
    multiValueQueryStringParameters: lists as never,
  });

  it.each([
    ["an empty map of lists", {}],
    ["a map of lists that lacks the name", { b: ["1"] }],
    ["a list that is empty", { a: [] }],
    ["a list that has another value", { a: ["0"] }],
  ])("is read beside %s", async (_, lists) => {
    await differ(rest({ a: "1" }, lists), rest({ a: "2" }, lists));
  });

  it("is read beside an empty raw text", async () => {
    const of = (a: string) => ({ ...eventOf("HTTP API"), rawQueryString: "", queryStringParameters: { a } });
    await differ(of("1"), of("2"));
  });

  it("is the same in one map and in both", async () => {
    await same(rest({ a: "2" }, { a: ["1", "2"] }), rest(null, { a: ["1", "2"] }));
    await same(rest({ a: "1" }, {}), rest({ a: "1" }, null));
  });

  // Seen by a reviewer: decoding made one of two.
  it.each([
    ["bytes that are no UTF-8", "a=%FF", "a=%FE"],
    ["names that are no UTF-8", "%FF=1", "%FE=1"],
    ["a plus and a space", "a=1+2", "a=1%202"],
    ["a name with and without a value", "a", "a="],
    ["the order of one name in two spellings", "a=1&%61=2", "%61=2&a=1"],
  ])("tells apart %s", async (_, one, other) => {
    const of = (rawQueryString: string) => ({ ...eventOf("HTTP API"), rawQueryString });
    await differ(of(one), of(other));
  });

  it("is free of the order of its names all the same", async () => {
    const of = (rawQueryString: string) => ({ ...eventOf("HTTP API"), rawQueryString });
    await same(of("b=%20&a=1&a=2&"), of("a=1&b=%20&a=2"));
  });
});

describe("empty lists of headers", () => {
  // Seen by a reviewer, of the query; headers stand in two places, too.
  it.each(["REST API", "load balancer"] as const)("beside single ones hide nothing behind a %s", async (kind) => {
    const event = { ...eventOf(kind, { headers: { "If-Match": "1" } }), multiValueHeaders: {} };
    const other = { ...eventOf(kind, { headers: { "If-Match": "2" } }), multiValueHeaders: {} };
    await differ(event, other);
    const { sendEvent } = endpoint();
    await sendEvent(event);
    expect((await sendEvent(event)).raw["headers"]).toMatchObject({ "Idempotent-Replayed": "true" });
  });
});

const BREAKS: readonly (readonly [where: string, more: object])[] = [
  ["a value", { headers: { location: "x\r\nSet-Cookie: a=b" } }],
  ["a name", { headers: { "x\r\nSet-Cookie": "a=b" } }],
  ["a list", { multiValueHeaders: { location: ["x\nSet-Cookie: a=b"] } }],
  ["a list in a list", { multiValueHeaders: { location: [["x\r\nSet-Cookie: a=b"]] } }],
  ["an object", { headers: { "x-name": { a: "x\rSet-Cookie: a=b" } } }],
  ["a cookie", { cookies: ["a=b\r\nX-Injected: 1"] }],
  ["the status text", { statusDescription: "200 OK\r\nSet-Cookie: a=b" }],
  ["the status", { statusCode: "404\r\nSet-Cookie: a=b" }],
];

describe.each(FRONT_ENDS)("a line break in an answer under %s", (_, make) => {
  // Seen by a reviewer: answers that are not remembered passed on unread, and so did the status text.
  it.each(BREAKS)("is refused in %s, remembered or not", async (__, more) => {
    for (const statusCode of [200, 404]) {
      const { send, handler, store } = endpoint({}, { make });
      handler.mockResolvedValue({ statusCode, body: "", ...more });
      for (let again = 0; again < 2; again++) {
        const answer = await send();
        expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([500, "result_unstorable"]);
        expect(JSON.stringify(answer.raw)).not.toMatch(/Set-Cookie|Injected/);
      }
      const final = statusCode === 200 && !("statusCode" in more);
      expect([handler.mock.calls.length, store.records().length]).toStrictEqual(final ? [1, 1] : [2, 0]);
    }
  });

  // Seen by a reviewer: an answer that is not under a claim was not looked at.
  it.each(BREAKS)(
    "is refused in %s where nothing is claimed: a GET, and a request without a key that may run",
    async (__, more) => {
      const { send, handler } = endpoint({}, { make, whenKeyMissing: "run" });
      handler.mockResolvedValue({ statusCode: 200, body: "", ...more });
      for (const sent of [{ method: "GET" }, { headers: { "Idempotency-Key": "-" } }]) {
        const answer = await send(sent);
        expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([500, "result_unstorable"]);
        expect(JSON.stringify(answer.raw)).not.toMatch(/Set-Cookie|Injected/);
      }
      handler.mockResolvedValue(created);
      expect((await send({ method: "GET" })).raw).toStrictEqual(created);
    },
  );

  it("is refused under a claim that is held", async () => {
    const { send, handler } = endpoint({}, { make, remember: () => "hold" });
    handler.mockResolvedValue({ statusCode: 200, headers: { etag: "a\r\nb" } });
    expect((await send()).status).toBe(500);
  });

  it("is refused in a record that something else has written", async () => {
    const stored = { statusCode: 200, headers: { etag: "a\r\nb" }, body: "" };
    const codec = { name: "planted", encode: () => ({ encoding: "planted", data: "" }), decode: () => stored };
    const { send } = endpoint({}, { make, codec: codec as never });
    await send();
    const answer = await send();
    expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([500, "result_unstorable"]);
  });

  // Seen by a reviewer: they were stored as {}.
  it.each([
    ["Headers", new Headers({ location: "/x" })],
    ["a Map", new Map([["location", "/x"]])],
    ["a list", [["location", "/x"]]],
    ["a text", "location: /x"],
  ])("or headers that are %s: refused, never dropped", async (__, headers) => {
    for (const place of ["headers", "multiValueHeaders"]) {
      const { send, handler, events } = endpoint({}, { make });
      handler.mockResolvedValue({ statusCode: 201, [place]: headers });
      for (let again = 0; again < 2; again++) expect((await send()).status).toBe(500);
      expect(handler).toHaveBeenCalledTimes(1);
      expect(events.map(({ type }) => type)).toContain("unstorable");
    }
  });

  // Seen by a reviewer: the handler's own header said that a first answer was a replay.
  it.each([200, 503])("and the handler's own Idempotent-Replayed in a %i: not passed on", async (statusCode) => {
    const { send, handler } = endpoint({}, { make });
    const own = {
      headers: { "idempotent-REPLAYED": "true", etag: "1" },
      multiValueHeaders: { "Idempotent-Replayed": ["no"] },
    };
    handler.mockResolvedValue({ statusCode, body: "", ...own });
    expect((await send()).raw).toStrictEqual({ statusCode, body: "", headers: { etag: "1" }, multiValueHeaders: {} });
    if (statusCode === 503) return;
    expect((await send()).raw["headers"]).toStrictEqual({ etag: "1", "Idempotent-Replayed": "true" });
  });
});

it("answers with one header of ours, whatever letter case the handler's own has", async () => {
  const { send, handler } = endpoint({ statusHeader: true });
  handler.mockResolvedValue({ statusCode: 200, headers: { "idempotency-status": "mine" } });
  expect((await send()).raw["headers"]).toStrictEqual({ "Idempotency-Status": "executed" });
});

describe("what a body parser leaves", () => {
  // Seen by a reviewer: a JSON string was read as text again.
  it.each([
    ["a number, and a string of it", 123, "123"],
    ["an object, and a string of it", { amount: 5 }, '{"amount":5}'],
    ["null, and an empty string", null, ""],
    ["true, and a string of it", true, "true"],
  ])("is not mixed up: %s", async (_, one, other) => {
    await differ(left(one), left(other));
    await differ(left(other), left(one));
  });

  it("is told from the text by Content-Length, where there is one", async () => {
    const of = (body: string, length: number) => ({ ...text(body, { "Content-Length": String(length) }), body });
    await differ(of("100", 5), of("1e2", 5));
    await differ(of("100", 5), of("100", 3));
    await same(of('{"a":1,"b":2}', 13), of('{"b":2,"a":1}', 13));
  });

  it("of base64 is not decoded again", async () => {
    const coded = { isBase64Encoded: true };
    await differ(left("pay: 1,00", coded), left("pay 100", coded));
    await differ(left("YWJj", coded), left("abc", coded));
    await differ(left("a!b", coded), left("ab", coded));
  });

  it("is the same for the same value", async () => {
    await same(left({ a: 1, b: [2] }), left({ b: [2], a: 1 }));
  });

  it.each(MIDDIES)("in %s keeps a string and what it says apart", async (_, middy) => {
    const send = async (body: string): Promise<Answer> => answerOf(await call(text(body) as never, lambdaContext()));
    const call = middy(async () => created)
      .use(httpJsonBodyParser())
      .use(idempotency({ store: testingStore(), operation: "o", binding: http({ principal: false }) as never }));
    expect((await send('{"amount":5}')).status).toBe(201);
    expect((await send('"{\\"amount\\":5}"')).status).toBe(422);
    expect((await send('{ "amount": 5 }')).headers["idempotent-replayed"]).toBe("true");
  });

  // Seen by a reviewer: both became the sign for what cannot be read.
  it("tells half surrogate pairs apart in a text", async () => {
    const plain = { "Content-Type": "text/plain" };
    await differ({ ...text("", plain), body: "\ud800" }, { ...text("", plain), body: "\ud801" });
  });
});

describe("the type of the body", () => {
  // Seen by a reviewer: one text under two types was one request.
  const of = (type: string, more: object = {}) => text("[]", { "Content-Type": type, ...more });
  it.each([
    ["patches", of("application/merge-patch+json"), of("application/json-patch+json")],
    ["texts", of("text/plain"), of("application/xml")],
    ["a type and none", of("application/octet-stream"), of("-")],
    ["encodings", of("text/plain"), of("text/plain", { "Content-Encoding": "gzip" })],
  ])("tells %s apart", async (_, one, other) => {
    await differ(one, other);
  });

  it("is compared without its parameters, in any letter case", async () => {
    await same(of("application/json"), of("Application/JSON ; charset=utf-8"));
  });
});

describe("the detail of a 400", () => {
  // Seen by a reviewer: it named selectors and names in the body.
  it.each([
    ["an expression over the body", { key: "body.orderId" }, '{"orderId":"a"}', /orderId/],
    ["a key of several parts", { key: "[headers.host, json(body).secret]" }, '{"a":1}', /secret/],
    [
      "a function",
      { key: (e: HttpEvent) => ({ [JSON.parse(String(e.body)).card]: undefined }) },
      '{"card":"4111"}',
      /4111/,
    ],
    ["a body that cannot be compared", {}, '{"4111":{"card_4111":"\\ud800"}}', /4111/],
  ])("of %s shows nothing of it, and the observer sees all", async (_, options, body, inside) => {
    const { send, events } = endpoint(options);
    const answer = await send({ body });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.raw)).not.toMatch(inside);
    expect(events).toMatchObject([{ type: "refused", error: { code: "key_missing" } }]);
  });
});

describe("a principal", () => {
  // Seen by a reviewer: callers without any group shared keys.
  it.each([[[]], [{}], [["t-1", []]], [{ tenant: {} }]])("of %j is nobody", async (nobody) => {
    expect((await endpoint({ principal: () => nobody }).send()).status).toBe(401);
    const event = eventOf("HTTP API");
    const withContext = { ...event, requestContext: { ...event.requestContext, groups: nobody } };
    const answer = await endpoint({ principal: "requestContext.groups" }).sendEvent(withContext);
    expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([401, "principal_missing"]);
  });
});

describe("Repeatability-First-Sent", () => {
  // Seen by a reviewer: the 31st of February was the 3rd of March.
  it.each(["Sun, 31 Feb 2094 08:49:37 GMT", "Wed, 31 Apr 2094 08:49:37 GMT", "Wed, 01 Apr 2094 24:00:00 GMT"])(
    "%s is no date",
    async (date) => {
      const { send, handler } = endpoint();
      expect((await send({ headers: { "Repeatability-First-Sent": date } })).status).toBe(400);
      expect(handler).not.toHaveBeenCalled();
    },
  );
});
