import type {
  ALBEvent,
  ALBResult,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyResultV2,
  Context,
} from "aws-lambda";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type HttpOptions, type HttpResponse, http, jwtPrincipal } from "../../../src/http.ts";
import { idempotent, memoryStore } from "../../../src/index.ts";
import { endpoint } from "./kit.ts";

const of =
  (options: object): (() => unknown) =>
  () =>
    http({ principal: false, ...options } as HttpOptions);

describe("the options of http()", () => {
  const wrong: readonly (readonly [name: string, make: () => unknown, message: RegExp])[] = [
    ["no options", () => http(undefined as never), /options of http\(\)/],
    ["no principal", () => http({} as never), /principal is undefined/],
    ["a principal that is a number", of({ principal: 1 }), /principal is 1/],
    ["a principal that is true", of({ principal: true }), /principal is true/],
    ["a principal expression that is wrong", of({ principal: "claims." }), /principal is the JMESPath expression/],
    ["a key that is a list", of({ key: ["a"] }), /key is an array/],
    ["a key expression with a slip", of({ key: "headers.Idempotency-Key" }), /"Idempotency-Key"/],
    ["an unknown option", of({ headers: [] }), /no option 'headers'/],
    ["a header with a space", of({ header: "Idempotency Key" }), /header is/],
    ["a header with a line break", of({ header: "X\r\nY" }), /header is/],
    ["GET among the methods", of({ methods: ["POST", "GET"] }), /GET.*never claim/],
    ["head among the methods", of({ methods: ["head"] }), /never claim/],
    ["methods that are a text", of({ methods: "POST" }), /methods is/],
    ["a fingerprint of another kind", of({ fingerprint: "body" }), /fingerprint is/],
    ["a length of 0", of({ minLength: 0 }), /minLength is 0/],
    ["a length of 256", of({ minLength: 256 }), /minLength is 256/],
    ["strict that is a text", of({ strict: "yes" }), /strict is/],
    ["authorize that is true", of({ authorize: true }), /authorize is true/],
    ["a retryAfter of 0", of({ retryAfter: { seconds: 0 } }), /retryAfter is/],
    ["a challenge with a line break", of({ challenge: "Bearer\r\nX: 1" }), /challenge is/],
    ["an empty challenge", of({ challenge: "" }), /challenge is/],
    ["a problem base that leaves its brackets", of({ problems: "https://a>; rel=x" }), /problems is/],
    ...["Set-Cookie", "authorization", "DATE", "Connection", "transfer-encoding"].map(
      (name) => [`${name} among the stored headers`, of({ responseHeaders: [name] }), /responseHeaders is/] as const,
    ),
  ];
  it.each(wrong)("refuse %s at once", (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "config", message: expect.stringMatching(message) }));
  });

  it("claim the methods that are named, in any letter case", async () => {
    const { send, handler } = endpoint({ methods: ["put", "Delete"] });
    for (const method of ["PUT", "PUT", "POST", "POST"]) await send({ method });
    expect(handler).toHaveBeenCalledTimes(3);
    expect((await send({ method: "DELETE" })).status).toBe(422);
  });

  it.each([{}, undefined, null, "event", { Records: [] }, { httpMethod: "POST" }])(
    "refuse the event %j: it is not HTTP",
    async (event) => {
      await expect(endpoint().sendEvent(event as never)).rejects.toMatchObject({
        code: "config",
        message: expect.stringContaining("API Gateway"),
      });
    },
  );
});

describe("the types of http()", () => {
  const store = memoryStore();
  const binding = http({ principal: jwtPrincipal() });

  it("fit the handlers of every event", () => {
    idempotent(
      async (_: APIGatewayProxyEventV2, __: Context): Promise<APIGatewayProxyResultV2> => ({ statusCode: 200 }),
      { store, operation: "a", binding },
    );
    idempotent(
      async (_: APIGatewayProxyEvent, __: Context): Promise<APIGatewayProxyResult> => ({ statusCode: 200, body: "" }),
      { store, operation: "b", binding },
    );
    idempotent(async (_: ALBEvent): Promise<ALBResult> => ({ statusCode: 200 }), { store, operation: "c", binding });
    idempotent(async (_: APIGatewayProxyEvent) => ({ statusCode: 200, body: "" }), {
      store,
      operation: "d",
      binding: http({ principal: (event: APIGatewayProxyEvent) => event.requestContext.identity.user }),
    });
    expectTypeOf<HttpResponse["statusCode"]>().toEqualTypeOf<number>();
    // @ts-expect-error the principal has to be given
    expect(() => http({})).toThrow();
    // @ts-expect-error an option that does not exist
    expect(() => http({ principal: false, ttl: 1 })).toThrow();
  });
});
