import httpCors from "@middy/http-cors";
import httpErrorHandler from "@middy/http-error-handler";
import httpHeaderNormalizer from "@middy/http-header-normalizer";
import httpJsonBodyParser from "@middy/http-json-body-parser";
import httpResponseSerializer from "@middy/http-response-serializer";
import httpRouter from "@middy/http-router";
import { describe, expect, it, vi } from "vitest";
import { type HttpEvent, http } from "../../../src/http.ts";
import { idempotent } from "../../../src/index.ts";
import { idempotency } from "../../../src/middy.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { MIDDIES, type Middyfied } from "../middies.ts";
import { type Answer, answerOf, created, eventOf, problemOf, type Sent, userOf } from "./kit.ts";

const serializers = [
  { regex: /^application\/json$/, serializer: ({ body }: { body: unknown }) => JSON.stringify(body) },
];

/** The orders in which middlewares of others stand before ours, each of which has to keep every promise. */
const STACKS: readonly (readonly [name: string, add: (handler: Middyfied) => Middyfied])[] = [
  ["nothing else", (handler) => handler],
  [
    "the guide's stack",
    (handler) =>
      handler
        .use(httpHeaderNormalizer())
        .use(httpJsonBodyParser())
        .use(httpCors({ origin: "https://shop.example" }))
        .use(httpErrorHandler({ logger: false })),
  ],
  [
    "canonical names of headers",
    (handler) =>
      handler.use(httpHeaderNormalizer({ canonical: true })).use(httpCors({ origin: "https://shop.example" })),
  ],
  [
    "the error handler first",
    (handler) =>
      handler
        .use(httpErrorHandler({ logger: false }))
        .use(httpCors({ origin: "https://shop.example" }))
        .use(httpJsonBodyParser()),
  ],
  [
    "a serializer",
    (handler) =>
      handler
        .use(httpCors({ origin: "https://shop.example" }))
        .use(httpResponseSerializer({ serializers, defaultContentType: "application/json" })),
  ],
];

describe.each(MIDDIES)("http() in %s", (_, middy) => {
  describe.each(STACKS)("with %s", (stack, add) => {
    const cors = stack === "nothing else" ? undefined : "https://shop.example";
    const options = () => ({ store: testingStore(), operation: "orders", binding: http({ principal: userOf }) });

    describe.each([
      [
        "as the middleware, last",
        (handler: unknown, given: ReturnType<typeof options>) => add(middy(handler)).use(idempotency(given as never)),
      ],
      [
        "as the wrapper inside",
        (handler: never, given: ReturnType<typeof options>) => add(middy(idempotent(handler, given as never))),
      ],
    ])("%s", (__, make) => {
      function open() {
        const given = options();
        const handler = vi.fn(
          async (_event: HttpEvent, _context: unknown): Promise<unknown> => structuredClone(created),
        );
        // By its length Middy and the wrapper tell a handler that takes a callback.
        const call = make((async (event: HttpEvent, context: unknown) => handler(event, context)) as never, given);
        const send = async (sent: Sent = {}): Promise<Answer> =>
          answerOf(
            await call(
              eventOf("REST API", { ...sent, headers: { Origin: "https://shop.example", ...sent.headers } }) as never,
              lambdaContext(),
            ),
          );
        return { handler, send, store: given.store };
      }

      it("gives first answers, replays and refusals the headers of the others", async () => {
        const { send, handler } = open();
        const first = await send();
        const replay = await send();
        const refusal = await send({ body: '{"sku":"b"}' });
        const missing = await send({ headers: { "Idempotency-Key": "-" } });
        expect([first, replay, refusal, missing].map(({ status }) => status)).toStrictEqual([201, 201, 422, 400]);
        for (const { headers } of [first, replay, refusal, missing])
          expect(headers["access-control-allow-origin"]).toBe(cors);
        expect([replay.body, replay.headers["idempotent-replayed"]]).toStrictEqual([created.body, "true"]);
        expect(replay.headers["set-cookie"]).toBeUndefined();
        expect(problemOf(refusal)["code"]).toBe("key_reused");
        expect(handler).toHaveBeenCalledTimes(1);
      });

      it("lets an error of the handler through to the others, and remembers nothing", async () => {
        const { send, handler, store } = open();
        handler.mockRejectedValueOnce(Object.assign(new Error("sold out"), { statusCode: 422, expose: true }));
        if (stack.includes("guide") || stack.includes("error")) {
          expect(await send()).toMatchObject({ status: 422, body: "sold out" });
        } else await expect(send()).rejects.toThrow("sold out");
        expect(store.records()).toStrictEqual([]);
        expect((await send()).status).toBe(201);
      });
    });
  });

  it.each(["middleware", "wrapper"])(
    "finds one record (%s) whether a body parser stands before it or not, with the guide's hook before it",
    async (form) => {
      const store = testingStore();
      const handler = vi.fn(async (): Promise<unknown> => created);
      const options = { store, operation: "orders", binding: http({ principal: userOf }) };
      const make = (): Middyfied =>
        form === "wrapper" ? middy(idempotent(async (_: HttpEvent) => handler(), options)) : middy(handler);
      const end = (call: Middyfied): Middyfied => (form === "wrapper" ? call : call.use(idempotency(options as never)));
      const keepText = ({ event }: { event: unknown }) =>
        void Object.assign(event as object, { rawBody: (event as HttpEvent).body });
      await end(
        make()
          .before(keepText as never)
          .use(httpJsonBodyParser()),
      )(eventOf("HTTP API", { body: '{"a":1,"b":[2]}' }) as never, lambdaContext());
      const again = answerOf(
        await end(make())(eventOf("HTTP API", { body: '{"b":[2],"a":1}' }) as never, lambdaContext()),
      );
      expect(again.headers["idempotent-replayed"]).toBe("true");
      expect([handler.mock.calls.length, store.records().length]).toStrictEqual([1, 1]);
    },
  );

  it("keeps integers above 2^53 apart behind a body parser, with the guide's hook before it", async () => {
    const handler = vi.fn(async (): Promise<unknown> => created);
    const call = middy(handler)
      .before(({ event }) => void Object.assign(event, { rawBody: event.body }))
      .use(httpJsonBodyParser())
      .use(idempotency({ store: testingStore(), operation: "orders", binding: http({ principal: userOf }) as never }));
    const send = async (body: string) => answerOf(await call(eventOf("HTTP API", { body }) as never, lambdaContext()));
    expect((await send('{"n":9007199254740992}')).status).toBe(201);
    expect((await send('{"n":9007199254740993}')).status).toBe(422);
    expect((await send('{"n":9007199254740992}')).headers["idempotent-replayed"]).toBe("true");
  });

  it("protects single routes of http-router", async () => {
    const handler = vi.fn(async (): Promise<unknown> => created);
    const other = vi.fn(async (): Promise<unknown> => created);
    const protectedRoute = idempotent(async (_: HttpEvent) => handler(), {
      store: testingStore(),
      operation: "orders",
      binding: http({ principal: userOf }),
    });
    const call = middy(
      httpRouter([
        { method: "POST", path: "/orders", handler: protectedRoute as never },
        { method: "POST", path: "/pings", handler: other as never },
      ]),
    );
    const send = async (path: string) => answerOf(await call(eventOf("HTTP API", { path }) as never, lambdaContext()));
    for (const path of ["/orders", "/orders", "/pings", "/pings"]) await send(path);
    expect([handler.mock.calls.length, other.mock.calls.length]).toStrictEqual([1, 2]);
  });
});
