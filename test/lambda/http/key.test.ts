import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { endpoint, eventOf, KINDS, type Kind, problemOf } from "./kit.ts";

const withKey = (key: string | readonly string[]) => ({ headers: { "Idempotency-Key": key } });
const LISTING: readonly Kind[] = ["HTTP API", "function URL", "REST API", "load balancer with lists"];

describe("the header Idempotency-Key", () => {
  it.each(KINDS)("is found behind a %s (P16; bad input: `Idempotency-Key` in any letter case)", async (kind) => {
    const { send, handler } = endpoint({}, { kind });
    for (const name of ["Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY", "iDEMPOTENCY-kEY"]) {
      await send({ headers: { "Idempotency-Key": "-", [name]: "k-1" } });
    }
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['"abc"', "abc"],
    ['  "abc"  ', "abc"],
    ['"abc";v=1; w="x,y"', "abc"],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ["abc;v=1", '"abc;v=1"'],
  ])('%s and %s are one key (bad input: `"abc"` and bare `abc`)', async (one, other) => {
    const { send, handler, store } = endpoint();
    await send(withKey(one));
    expect((await send(withKey(other))).headers["idempotent-replayed"]).toBe("true");
    expect([handler.mock.calls.length, store.records().length]).toStrictEqual([1, 1]);
  });

  it("of another letter case is another key", async () => {
    const { send, handler } = endpoint();
    await send(withKey("abc"));
    await send(withKey("ABC"));
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["an empty one", ""],
    ["an empty string", '""'],
    ["only spaces", "   "],
    ["256 characters", "k".repeat(256)],
    ["256 characters in quotes", `"${"k".repeat(256)}"`],
    ["a space inside", "a b"],
    ["a space inside of quotes", '"a b"'],
    ["a line break", "abc\r\nX-Injected: 1"],
    ["a control character", "abc\u0007"],
    ["a character outside of ASCII", "schlüssel"],
    ["no closing quote", '"abc'],
    ["something after the quotes", '"abc"d'],
    ["a backslash before another character", '"a\\b"'],
    ["an empty member", "abc,"],
    ["only a comma", ","],
    ["a structured list", '("a" "b")'],
  ])(
    'with %s is a 400 that does not show it, and nothing runs (bad input: `""`, 256 or more characters, control characters or CR/LF)',
    async (_, key) => {
      const { send, handler, store, events } = endpoint();
      const answer = await send(withKey(key));
      expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([400, "key_missing"]);
      expect(events).toMatchObject([{ type: "refused", code: "key_missing", id: undefined }]);
      for (const event of events) if ("error" in event) expect(String(event.error)).not.toMatch(/Injected|schl|kkkk/);
      for (const part of ["Injected", "schl", "kkkk"]) expect(JSON.stringify(answer)).not.toContain(part);
      expect([handler.mock.calls.length, store.records().length]).toStrictEqual([0, 0]);
    },
  );

  it.each(["k", "k".repeat(255), "!#$%&'()*+-./:;<=>?@[\\]^_`{|}~"])("takes %s for a key", async (key) => {
    const { send, handler } = endpoint();
    await send(withKey(key));
    expect((await send(withKey(key))).headers["idempotent-replayed"]).toBe("true");
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each(LISTING)(
    "sent twice with two values behind a %s is a 400 (bad input: two different `Idempotency-Key` headers)",
    async (kind) => {
      const { send, handler } = endpoint({}, { kind });
      expect((await send(withKey(["k-1", "k-2"]))).status).toBe(400);
      expect((await send(withKey(['"k-1"', "k-2"]))).status).toBe(400);
      expect(handler).not.toHaveBeenCalled();
    },
  );

  it.each(LISTING)("sent twice with one value behind a %s is that key", async (kind) => {
    const { send, handler } = endpoint({}, { kind });
    expect((await send(withKey(["k-1", '"k-1"']))).status).toBe(201);
    expect((await send(withKey("k-1"))).headers["idempotent-replayed"]).toBe("true");
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("under two spellings of its name with two values is a 400", async () => {
    const { sendEvent } = endpoint();
    const event = eventOf("REST API");
    const headers = { "Idempotency-Key": "k-1", "idempotency-key": "k-2" };
    expect((await sendEvent({ ...event, headers, multiValueHeaders: null })).status).toBe(400);
  });

  it("has to be a quoted string where `strict` is set", async () => {
    const { send } = endpoint({ strict: true });
    expect((await send(withKey('"abc"'))).status).toBe(201);
    const bare = await send(withKey("abc"));
    expect([bare.status, problemOf(bare)["detail"]]).toStrictEqual([400, expect.stringContaining("quoted string")]);
  });

  it("has at least `minLength` characters", async () => {
    const { send } = endpoint({ minLength: 8 });
    expect((await send(withKey("1234567"))).status).toBe(400);
    expect((await send(withKey("12345678"))).status).toBe(201);
  });

  it("may have another name", async () => {
    const { send, handler } = endpoint({ header: "X-Request-Id" });
    expect((await send({ headers: { "x-request-id": "r-1" } })).status).toBe(201);
    expect((await send({ headers: { "X-REQUEST-ID": "r-1" } })).headers["idempotent-replayed"]).toBe("true");
    const missing = await send();
    expect(problemOf(missing)["detail"]).toContain("X-Request-Id");
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("may be missing where the operation says so: nothing is claimed then; an empty one is still a 400", async () => {
    const { send, handler, store } = endpoint({}, { whenKeyMissing: "run" });
    const none = { headers: { "Idempotency-Key": "-" } };
    await send(none);
    await send(none);
    expect([handler.mock.calls.length, store.records().length]).toStrictEqual([2, 0]);
    expect((await send(withKey(""))).status).toBe(400);
  });
});

const visible = fc.string({
  minLength: 1,
  maxLength: 255,
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
});
const junk = fc.string({ maxLength: 40, unit: fc.constantFrom(...'ab"\\,; =\t\r\n\u00e9') });

describe("any text at all", () => {
  test.prop([visible])(
    "of visible characters is one key in quotes, and bare where it has no comma and no quote in front",
    async (key) => {
      const { send, store } = endpoint();
      const inQuotes = `"${key.replace(/["\\]/g, "\\$&")}"`;
      expect((await send(withKey(inQuotes))).status).toBe(201);
      if (!key.includes(",") && !key.startsWith('"')) {
        // "-" alone is how these tests leave a header out.
        if (key !== "-") expect((await send(withKey(key))).headers["idempotent-replayed"]).toBe("true");
      }
      expect(store.records()).toHaveLength(1);
    },
  );

  test.prop([junk])("is a key or a 400, never a fault, and the handler runs for a key only", async (text) => {
    const { send, handler } = endpoint();
    const { status } = await send(withKey(text));
    expect(status).toBeOneOf([201, 400]);
    expect(handler).toHaveBeenCalledTimes(status === 201 ? 1 : 0);
  });
});

describe("a key of several parts (M15)", () => {
  const key = '[headers."Idempotency-Key", json(body).orderId, httpMethod || requestContext.http.method]';

  it.each(KINDS)("reads headers in any letter case, quoted or not, and the body, behind a %s", async (kind) => {
    const { send, handler } = endpoint({ key }, { kind });
    const body = '{"orderId":7}';
    await send({ headers: { "Idempotency-Key": "-", "idempotency-KEY": '"k-1"' }, body });
    const again = await send({ ...withKey("k-1"), body: Buffer.from(body).toString("utf8"), base64: true });
    expect(again.headers["idempotent-replayed"]).toBe("true");
    await send({ ...withKey("k-1"), body: '{"orderId":8}' });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["a part missing", { body: "{}" }],
    ["no body", { body: undefined }],
    ["no header", { headers: { "Idempotency-Key": "-" }, body: '{"orderId":7}' }],
    ["a body that is not JSON (bad input: not JSON where the key reads it)", { body: "orderId=7" }],
    ["two values of a header", { ...withKey(["a", "b"]), body: '{"orderId":7}' }],
  ])("with %s is a 400: it is never shared", async (_, sent) => {
    const { send, handler } = endpoint({ key });
    expect((await send(sent)).status).toBe(400);
    expect(handler).not.toHaveBeenCalled();
  });

  it("does not read another header that was sent with two values", async () => {
    const { send } = endpoint({ key: '[headers."X-Tenant", headers."idempotency-key"]' }, { kind: "REST API" });
    expect((await send({ headers: { "x-tenant": ["a", "b"] } })).status).toBe(400);
    expect((await send({ headers: { "x-tenant": "a" } })).status).toBe(201);
  });

  it("of a#b, c and a, b#c are two", async () => {
    const { send, handler } = endpoint({ key: '[headers."x-one", headers."x-two"]' });
    await send({ headers: { "x-one": "a#b", "x-two": "c" } });
    await send({ headers: { "x-one": "a", "x-two": "b#c" } });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it("may be a function of the event", async () => {
    const { send, handler } = endpoint({ key: ({ body }) => (JSON.parse(String(body)) as { id: string }).id });
    await send({ body: '{"id":"a"}' });
    await send({ body: '{"id":"a"}' });
    expect((await send({ body: "no JSON" })).status).toBe(400);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("given by the operation's option leaves the header alone", async () => {
    const { send, handler } = endpoint({}, { key: "json(body).id" });
    await send({ ...withKey("not a key"), body: '{"id":"a"}' });
    await send({ ...withKey("-"), body: '{"id":"a"}' });
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe("a client that says that it sends a request again", () => {
  it.each([
    ["the AWS SDK's header", { "amz-sdk-request": "attempt=2; max=3" }, ["read"]],
    ["Idempotency-Retry", { "Idempotency-Retry": "1" }, ["read"]],
    ["the AWS SDK's first attempt", { "amz-sdk-request": "attempt=1; max=3" }, []],
    ["nothing", {}, []],
  ])("by %s is looked up first only then", async (_, headers, reads) => {
    const { send, store } = endpoint();
    const asked: string[] = [];
    const read = store.read;
    Object.assign(store, { read: (...args: Parameters<typeof read>) => asked.push("read") && read(...args) });
    await send({ headers });
    expect(asked).toStrictEqual(reads);
  });
});
