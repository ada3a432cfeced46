import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalStack, startStack } from "../../../infra/local/stack.ts";
import { httpShop, writeAssembly } from "./fixture.ts";

let stack: LocalStack;
beforeAll(async () => {
  stack = await startStack({ cdkOut: writeAssembly(httpShop, {}) });
}, 30_000);
afterAll(() => stack.stop(), 30_000);

const post = (path: string, init: RequestInit = {}) => fetch(`${stack.apiUrl}${path}`, { method: "POST", ...init });

describe("an HTTP API", { timeout: 20_000 }, () => {
  it("gives a function the event of payload format 2.0", async () => {
    const headers = { Cookie: "a=1; b=2", "X-Mixed-Case": "yes", "content-type": "application/json" };
    const response = await post("/do/echo?a=1&a=2", { headers, body: '{"x":1}' });
    const { event } = (await response.json()) as { event: APIGatewayProxyEventV2 };
    expect(event).toMatchObject({
      version: "2.0",
      routeKey: "POST /do/{what}",
      rawPath: "/do/echo",
      rawQueryString: "a=1&a=2",
      cookies: ["a=1", "b=2"],
      headers: { "x-mixed-case": "yes" },
      queryStringParameters: { a: "1,2" },
      pathParameters: { what: "echo" },
      requestContext: { http: { method: "POST", path: "/do/echo" }, stage: "$default", routeKey: "POST /do/{what}" },
      body: '{"x":1}',
      isBase64Encoded: false,
    });
    expect(event.headers).not.toHaveProperty("cookie");
  });

  it("gives a body that is no text as base64", async () => {
    const response = await post("/do/echo", {
      headers: { "content-type": "image/png" },
      body: new Uint8Array([0, 255]),
    });
    const { event } = (await response.json()) as { event: APIGatewayProxyEventV2 };
    expect(event).toMatchObject({ body: "AP8=", isBase64Encoded: true });
  });

  it("takes a result without a status for the body", async () => {
    const response = await post("/do/plain");
    expect(`${response.status} ${await response.text()}`).toBe('200 {"hello":"world"}');
  });

  it.each([
    ["/nowhere", '404 {"message":"Not Found"}'],
    ["/do/throw", '500 {"message":"Internal Server Error"}'],
  ])("answers %s in its own words", async (path, expected) => {
    const response = await post(path);
    expect(`${response.status} ${await response.text()}`).toBe(expected);
  });
});
