import middy from "@middy/core";
import httpErrorHandler from "@middy/http-error-handler";
import httpJsonBodyParser from "@middy/http-json-body-parser";
import type { Context } from "aws-lambda";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { http } from "../../src/http.ts";
import { idempotency } from "../../src/middy.ts";
import { lambdaContext, testingStore } from "../../src/testing.ts";
import type { Delivery, WithDelivery } from "../../src/webhooks.ts";
import { eventOf } from "../lambda/http/kit.ts";
import { MIDDIES } from "../lambda/middies.ts";
import { BODY, NOW, OTHER, standard, verifier } from "./kit.ts";

const event = (more: Parameters<typeof standard>[1] = {}) =>
  eventOf("REST API", { headers: standard(BODY, more), body: BODY });

describe.each(MIDDIES)("signature() in %s", (_, middyOf) => {
  it("verifies before the body is parsed, and hands the delivery to the handler", async () => {
    const seen = vi.fn(async (parsed: { body: unknown }, context: WithDelivery<Context>) => {
      expect(parsed.body).toStrictEqual(JSON.parse(BODY));
      return { statusCode: 200, body: context.delivery.id };
    });
    const handler = middyOf(seen).use(verifier()).use(httpJsonBodyParser());
    const context = lambdaContext();
    expect(await handler(event() as never, context)).toMatchObject({ statusCode: 200, body: "msg_1" });
    expect((context as unknown as WithDelivery<object>).delivery).toStrictEqual({ id: "msg_1", timestamp: NOW });
  });

  it("throws what http-error-handler makes a 401 of, and the handler does not run", async () => {
    const seen = vi.fn(async () => ({ statusCode: 200 }));
    const handler = middyOf(seen)
      .use(verifier())
      .use(httpErrorHandler({ logger: () => {} }));
    const answer = await handler(event({ secret: OTHER }) as never, lambdaContext());
    expect(answer).toMatchObject({ statusCode: 401, body: "the request does not carry a valid signature" });
    expect(seen).not.toHaveBeenCalled();
  });

  it("gives the middleware after it the delivery's id as the key", async () => {
    const store = testingStore();
    const seen = vi.fn(async () => ({ statusCode: 200, body: "done" }));
    const handler = middyOf(seen)
      .use(verifier())
      .use(httpJsonBodyParser())
      .use(
        idempotency({
          store,
          operation: "payment-webhook",
          key: (_event: unknown, context: WithDelivery<object>) => context.delivery.id,
          expiresAfter: { days: 15 },
        } as never),
      );
    await handler(event() as never, lambdaContext());
    await handler(event() as never, lambdaContext());
    await expect(handler(event({ secret: OTHER }) as never, lambdaContext())).rejects.toThrow("valid signature");
    expect(seen).toHaveBeenCalledTimes(1);
    expect(store.records()).toHaveLength(1);
  });

  it("is a mistake behind the body parser, unless the text is kept", async () => {
    const late = middyOf(async () => ({ statusCode: 200 }))
      .use(httpJsonBodyParser())
      .use(verifier());
    await expect(late(event() as never, lambdaContext())).rejects.toThrow("it was parsed before");
    const kept = middyOf(async () => ({ statusCode: 200 }))
      .before((request) => void Object.assign(request.event, { rawBody: request.event.body }))
      .use(httpJsonBodyParser())
      .use(
        idempotency({ store: testingStore(), operation: "kept", binding: http({ principal: false, key: verifier() }) }),
      );
    expect(await kept(event() as never, lambdaContext())).toMatchObject({ statusCode: 200 });
  });
});

it("fits Middy's own types", () => {
  const handler = middy(async (_event: unknown, context: WithDelivery<Context>) => context.delivery).use(verifier());
  expectTypeOf(handler).toBeFunction();
  expectTypeOf<WithDelivery<Context>["delivery"]>().toEqualTypeOf<Delivery>();
});
