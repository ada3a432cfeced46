import cors from "@middy/http-cors";
import httpErrorHandler from "@middy/http-error-handler";
import httpHeaderNormalizer from "@middy/http-header-normalizer";
import httpJsonBodyParser from "@middy/http-json-body-parser";
import httpResponseSerializer from "@middy/http-response-serializer";
import httpRouter from "@middy/http-router";
import { describe, expect, it, vi } from "vitest";
import { idempotent, isIdempotencyError } from "../../src/index.ts";
import { idempotency } from "../../src/middy.ts";
import { lambdaContext, type TestingStore, testingStore } from "../../src/testing.ts";
import { type AnyMiddy, type HttpEvent, type HttpResponse, http, MIDDIES, type Middyfied, post } from "./middies.ts";

const serializer = httpResponseSerializer({
  serializers: [{ regex: /^application\/json$/, serializer: ({ body }) => JSON.stringify(body) }],
  defaultContentType: "application/json",
});

/** The usual chain around an HTTP handler. `onError` hooks run from its end to its start. */
const chain = () => [
  httpHeaderNormalizer(),
  httpJsonBodyParser(),
  cors({ origin: "https://shop.example" }),
  serializer,
  httpErrorHandler({ logger: () => {} }),
];

type Handler = (event: HttpEvent) => Promise<HttpResponse>;
type Form = (middy: AnyMiddy, handler: Handler, store: TestingStore) => Middyfied;

/** Both forms of design.md, section 8. */
const FORMS: readonly (readonly [string, Form])[] = [
  [
    "the wrapper inside",
    (middy, handler, store) =>
      middy(idempotent(handler, { store, operation: "orders", binding: http as never })).use(chain()),
  ],
  [
    "the middleware, used last",
    (middy, handler, store) =>
      middy(handler)
        .use(chain())
        .use(idempotency({ store, operation: "orders", binding: http as never })),
  ],
];

const CASES = MIDDIES.flatMap(([name, middy]) =>
  FORMS.map(([form, make]) => ({ name: `${form}, in ${name}`, middy, make })),
);

/** A handler whose first run stops until it is opened. */
function slow() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let enter: () => void = () => {};
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const handler = vi.fn(async ({ body }: HttpEvent): Promise<HttpResponse> => {
    enter();
    await opened;
    return { statusCode: 201, body: { placed: body } };
  });
  return { handler, entered, open: () => open() };
}

const CORS = { "Access-Control-Allow-Origin": "https://shop.example" };

describe.each(CASES)("$name", ({ middy, make }) => {
  it("gives CORS headers and a serialised body to first answers and to replays alike", async () => {
    const handler = vi.fn<Handler>(async ({ body }) => ({
      statusCode: 201,
      headers: { Location: "/orders/1" },
      body: { placed: body },
    }));
    const call = make(middy, handler, testingStore());
    const first = await call(post("k-1"), lambdaContext());
    const second = await call(post("k-1"), lambdaContext());
    expect(first).toStrictEqual({
      statusCode: 201,
      headers: { Location: "/orders/1", "Content-Type": "application/json", ...CORS },
      body: '{"placed":{"sku":"a"}}',
    });
    expect(second).toStrictEqual({ ...first, headers: { ...first.headers, "Idempotent-Replayed": "true" } });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("finds the key whatever the letter case of its header (P16)", async () => {
    const handler = vi.fn<Handler>(async () => ({ statusCode: 201, body: "" }));
    const call = make(middy, handler, testingStore());
    for (const name of ["Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"]) {
      const event = post(undefined);
      event.headers[name] = "k-1";
      expect(await call(event, lambdaContext())).toMatchObject({ statusCode: 201 });
    }
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("gives CORS headers to refusals, and a refused duplicate never releases the first's claim (P3)", async () => {
    const { handler, entered, open } = slow();
    const store = testingStore();
    const call = make(middy, handler, store);
    const first = call(post("k-1"), lambdaContext());
    await entered;
    const [record] = store.records();
    for (let again = 0; again < 3; again++) {
      expect(await call(post("k-1"), lambdaContext())).toStrictEqual({
        statusCode: 409,
        headers: { "Retry-After": "2", "Content-Type": "application/problem+json", ...CORS },
        body: '{"code":"in_progress"}',
      });
      expect(store.records()).toStrictEqual([record]);
    }
    open();
    expect(await first).toMatchObject({ statusCode: 201, headers: CORS });
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({
      statusCode: 201,
      headers: { "Idempotent-Replayed": "true" },
    });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("keeps the record when the key comes with another body (P4)", async () => {
    const handler = vi.fn<Handler>(async () => ({ statusCode: 201, body: "" }));
    const store = testingStore();
    const call = make(middy, handler, store);
    await call(post("k-1"), lambdaContext());
    const before = store.records();
    expect(await call(post("k-1", { sku: "b" }), lambdaContext())).toMatchObject({
      statusCode: 422,
      headers: CORS,
      body: '{"code":"key_reused"}',
    });
    expect(await call(post(undefined), lambdaContext())).toMatchObject({
      statusCode: 400,
      headers: CORS,
      body: '{"code":"key_missing"}',
    });
    expect(store.records()).toStrictEqual(before);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("renders a result that cannot be stored in the same way on every call", async () => {
    const handler = vi.fn<Handler>(async () => ({ statusCode: 201, body: { at: new Date(0) } }));
    const call = make(middy, handler, testingStore());
    const refusal = { statusCode: 500, headers: CORS, body: '{"code":"result_unstorable"}' };
    expect(await call(post("k-1"), lambdaContext())).toMatchObject(refusal);
    expect(await call(post("k-1"), lambdaContext())).toMatchObject(refusal);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("renders the winner's answer for an owner that lost its claim as the replay that it is (P2)", async () => {
    const { handler, entered, open } = slow();
    const store = testingStore();
    const call = make(middy, handler, store);
    const first = call(post("k-1"), lambdaContext());
    await entered;
    store.advance({ minutes: 1 });
    handler.mockResolvedValueOnce({ statusCode: 202, body: "second" });
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({ statusCode: 202 });
    open();
    expect(await first).toMatchObject({ statusCode: 202, headers: { "Idempotent-Replayed": "true", ...CORS } });
  });

  it("answers 503 where the store fails, and the handler does not run", async () => {
    const handler = vi.fn<Handler>(async () => ({ statusCode: 201 }));
    const store = testingStore();
    store.failNext("claim");
    expect(await make(middy, handler, store)(post("k-1"), lambdaContext())).toMatchObject({
      statusCode: 503,
      headers: { "Retry-After": "2", ...CORS },
    });
    expect(handler).not.toHaveBeenCalled();
  });

  it("releases the key when the handler throws, and the error is rendered by http-error-handler", async () => {
    const handler = vi.fn<Handler>(async () => ({ statusCode: 201, body: "" }));
    handler.mockRejectedValueOnce(Object.assign(new Error("out of stock"), { statusCode: 404 }));
    const store = testingStore();
    const call = make(middy, handler, store);
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({
      statusCode: 404,
      headers: CORS,
      body: "out of stock",
    });
    expect(store.records()).toStrictEqual([]);
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({ statusCode: 201 });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it("claims nothing when the body cannot be parsed", async () => {
    const handler = vi.fn<Handler>(async () => ({ statusCode: 201 }));
    const store = testingStore();
    expect(await make(middy, handler, store)({ ...post("k-1"), body: "{" }, lambdaContext())).toMatchObject({
      statusCode: 415,
    });
    expect(store.records()).toStrictEqual([]);
    expect(handler).not.toHaveBeenCalled();
  });

  it("replays undefined where a binding renders it so (P7)", async () => {
    const handler = vi.fn(async () => undefined);
    const binding = { ...http, replay: (result: unknown) => result } as never;
    const options = { store: testingStore(), operation: "orders", binding };
    const inner = middy(idempotent(handler as never, options));
    const outer = middy(handler).use(idempotency({ ...options, operation: "others" }));
    for (const call of [inner, inner, outer, outer]) expect(await call(post("k-1"), lambdaContext())).toBeUndefined();
    expect(handler).toHaveBeenCalledTimes(2);
  });
});

describe.each(MIDDIES)("http-router of %s", (_, middy) => {
  it("routes to wrapped functions that keep their keys apart", async () => {
    const store = testingStore();
    const place = vi.fn<Handler>(async () => ({ statusCode: 201, body: "placed" }));
    const cancel = vi.fn<Handler>(async () => ({ statusCode: 200, body: "cancelled" }));
    const routes = [
      {
        method: "POST" as const,
        path: "/orders",
        handler: idempotent(place, { store, operation: "place", binding: http as never }),
      },
      {
        method: "POST" as const,
        path: "/orders/{id}/cancel",
        handler: idempotent(cancel, { store, operation: "cancel", binding: http as never }),
      },
    ];
    const call = middy(httpRouter(routes as never)).use(chain());
    for (let again = 0; again < 2; again++) {
      expect(await call(post("k-1"), lambdaContext())).toMatchObject({
        statusCode: 201,
        body: '"placed"',
        headers: CORS,
      });
      expect(await call(post("k-1", {}, "/orders/1/cancel"), lambdaContext())).toMatchObject({
        statusCode: 200,
        body: '"cancelled"',
      });
    }
    expect(place).toHaveBeenCalledTimes(1);
    expect(cancel).toHaveBeenCalledTimes(1);
    expect(await call(post("k-2", {}, "/nowhere"), lambdaContext())).toMatchObject({ statusCode: 404, headers: CORS });
    expect(store.records()).toHaveLength(2);
  });

  it("is a handler like any other to the middleware; an unknown route gives the key back", async () => {
    const store = testingStore();
    const place = vi.fn<Handler>(async () => ({ statusCode: 201, body: "placed" }));
    const call = middy(httpRouter([{ method: "POST", path: "/orders", handler: place as never }]))
      .use(chain())
      .use(idempotency({ store, operation: "api", binding: http as never }));
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({ statusCode: 201 });
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({
      statusCode: 201,
      headers: { "Idempotent-Replayed": "true" },
    });
    expect(await call(post("k-2", {}, "/nowhere"), lambdaContext())).toMatchObject({ statusCode: 404 });
    expect(store.records()).toHaveLength(1);
    expect(place).toHaveBeenCalledTimes(1);
  });
});

describe.each(MIDDIES)("the middleware of %s without a binding", (_, middy) => {
  it("throws refusals with the facts that http-error-handler reads, so that CORS still applies", async () => {
    const { handler, entered, open } = slow();
    const call = middy(handler)
      .use([cors({ origin: "https://shop.example" }), httpErrorHandler({ logger: () => {} })])
      .use(idempotency({ store: testingStore(), operation: "orders", key: 'headers."Idempotency-Key"' }));
    const first = call(post("k-1"), lambdaContext());
    await entered;
    expect(await call(post("k-1"), lambdaContext())).toMatchObject({
      statusCode: 409,
      headers: { "Retry-After": "2", ...CORS },
      body: expect.stringContaining("still running"),
    });
    open();
    await first;
  });

  it("lets replays leave by earlyResponse, past the after hooks", async () => {
    const after = vi.fn();
    const call = middy(async () => ({ statusCode: 200, body: "ok" }))
      .after(after)
      .use(idempotency({ store: testingStore(), operation: "orders", key: "path" }));
    const first = await call(post("k-1"), lambdaContext());
    expect(await call(post("k-1"), lambdaContext())).toStrictEqual(first);
    expect(after).toHaveBeenCalledTimes(1);
  });

  it("gives refusals that isIdempotencyError recognises to the onError hooks", async () => {
    const seen = vi.fn();
    const call = middy(async () => ({ statusCode: 200 }))
      .onError(({ error }) => void seen(isIdempotencyError(error) && error.code))
      .use(idempotency({ store: testingStore(), operation: "orders", key: 'headers."Idempotency-Key"' }));
    await expect(call(post(undefined), lambdaContext())).rejects.toMatchObject({ code: "key_missing" });
    expect(seen).toHaveBeenCalledWith("key_missing");
  });
});
