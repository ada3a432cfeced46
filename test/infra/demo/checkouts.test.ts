import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { lambdaContext } from "lambda-once/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEvent } from "../../../infra/demo/events.ts";

process.env["LAMBDA_ONCE_TABLE"] ??= "idempotency";
process.env["AWS_REGION"] ??= "eu-central-1";
const { handler } = await import("../../../infra/demo/checkouts.ts");

/** Stands in for the AWS Parameters and Secrets extension. */
let extension: Server;
let asked = 0;
let status = 200;

beforeAll(async () => {
  extension = createServer((_, response) => {
    asked += 1;
    response.writeHead(status).end(JSON.stringify({ SecretString: "a secret of the tests, long enough" }));
  });
  await new Promise<void>((resolve) => extension.listen(0, "localhost", resolve));
  process.env["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"] = `${(extension.address() as AddressInfo).port}`;
  process.env["ORDER_TOKEN_SECRET_ARN"] = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:OrderToken-AbCdEf";
});
afterAll(() => {
  extension.close();
  for (const name of ["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "ORDER_TOKEN_SECRET_ARN"]) delete process.env[name];
});

/** A request that is refused before any table is asked. */
function request(resource: string, headers: Record<string, string> = {}) {
  const event: APIGatewayProxyEvent = { ...readEvent("api-gateway-rest"), resource, path: resource };
  const multiValueHeaders = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  return handler({ ...event, headers, multiValueHeaders }, lambdaContext());
}

describe("the checkouts", () => {
  it("fail while the secret cannot be read, and read it again at the next invocation", async () => {
    status = 400;
    await expect(request("/checkouts")).rejects.toThrow("cannot be read: HTTP 400");
    status = 200;
    expect((await request("/checkouts")).statusCode).toBe(400);
    expect(asked).toBe(2);
  });

  it("read the secret once in a process", async () => {
    await request("/checkouts");
    await request("/checkouts");
    expect(asked).toBe(2);
  });

  it("refuse an order without a token 400, and one with any other key 403", async () => {
    const missing = await request("/checkouts");
    expect([missing.statusCode, JSON.parse(missing.body).code]).toEqual([400, "key_missing"]);
    expect(JSON.parse(missing.body).detail).toContain("one-time token");
    const other = await request("/checkouts", { "Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324" });
    expect([other.statusCode, JSON.parse(other.body).code]).toEqual([403, "token_invalid"]);
  });

  it("know no other route", async () => {
    expect((await request("/orders")).statusCode).toBe(404);
  });
});
