import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { APIGatewayTokenAuthorizerEvent } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { handler } from "../../../infra/demo/authorizer.ts";
import { signToken, verifyToken } from "../../../infra/demo/token.ts";

const SECRET = "a secret of the tests, long enough";
const NOW = 1_800_000_000_000;
const token = { sub: "cus-7Qm3", exp: NOW / 1000 + 60 };

describe("a bearer token", () => {
  const bearer = signToken(token, SECRET);

  it("says what was signed", () => {
    expect(verifyToken(bearer, SECRET, NOW)).toEqual(token);
    expect(bearer).toMatch(/^[\w-]+\.[\w-]+$/);
  });

  it("is good until its end, and not a millisecond longer", () => {
    expect(verifyToken(bearer, SECRET, token.exp * 1000 - 1)).toEqual(token);
    expect(verifyToken(bearer, SECRET, token.exp * 1000)).toBeUndefined();
  });

  const [payload, signature] = bearer.split(".");
  const other = Buffer.from(JSON.stringify({ ...token, sub: "cus-other" })).toString("base64url");
  it.each([
    ["another payload under the same signature", `${other}.${signature}`],
    ["another secret", signToken(token, "another secret of the tests, long enough")],
    ["a signature cut short", bearer.slice(0, -2)],
    ["no signature", `${payload}.`],
    ["a third part", `${bearer}.${signature}`],
    ["nothing", ""],
    ["a dot", "."],
    ["no JSON", sealed("hello")],
    ["JSON that is no object", sealed("null")],
    ["no one", sealed(JSON.stringify({ exp: token.exp }))],
    ["a name with a line break", signToken({ ...token, sub: "cus\n1" }, SECRET)],
    ["an end that is no number", sealed(JSON.stringify({ sub: "cus-1", exp: `${token.exp}` }))],
    ["no end", sealed(JSON.stringify({ sub: "cus-1" }))],
  ])("is refused with %s", (_, refused) => {
    expect(verifyToken(refused, SECRET, NOW)).toBeUndefined();
  });

  it("needs a secret that cannot be guessed", () => {
    expect(() => signToken(token, "short")).toThrow("the token secret has 5 characters; allowed are 32 or more");
    expect(() => verifyToken(bearer, "", NOW)).toThrow("0 characters");
  });
});

/** Any text under a true signature: what a careless holder of the secret would sign. */
function sealed(text: string): string {
  const payload = Buffer.from(text).toString("base64url");
  return `${payload}.${createHmac("sha256", SECRET).update(payload).digest("base64url")}`;
}

describe("the authorizer", () => {
  /** Stands in for the AWS Parameters and Secrets extension. */
  let extension: Server;
  let asked: IncomingMessage[] = [];
  let status = 200;
  const ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:TokenSecret-AbCdEf";

  beforeAll(async () => {
    extension = createServer((request, response) => {
      asked.push(request);
      response.writeHead(status).end(JSON.stringify({ ARN, SecretString: SECRET }));
    });
    await new Promise<void>((resolve) => extension.listen(0, "localhost", resolve));
    process.env["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"] = `${(extension.address() as AddressInfo).port}`;
    process.env["TOKEN_SECRET_ARN"] = ARN;
    process.env["AWS_SESSION_TOKEN"] = "session";
  });
  afterAll(() => {
    extension.close();
    for (const name of ["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "TOKEN_SECRET_ARN", "AWS_SESSION_TOKEN"]) {
      delete process.env[name];
    }
  });

  const authorize = (authorizationToken: string) => {
    asked = [];
    const methodArn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/prod/POST/orders";
    return handler({ type: "TOKEN", authorizationToken, methodArn } satisfies APIGatewayTokenAuthorizerEvent);
  };
  const fresh = () => signToken({ sub: "cus-7Qm3", exp: Math.floor(Date.now() / 1000) + 60 }, SECRET);

  it("names the caller and allows the stage's routes", async () => {
    expect(await authorize(`Bearer ${fresh()}`)).toEqual({
      principalId: "cus-7Qm3",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: "execute-api:Invoke",
            Resource: "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/prod/*",
          },
        ],
      },
    });
  });

  it("asks the extension as AWS documents it", async () => {
    await authorize(`Bearer ${fresh()}`);
    expect(asked.map(({ url, headers }) => [url, headers["x-aws-parameters-secrets-token"]])).toEqual([
      [`/secretsmanager/get?secretId=${encodeURIComponent(ARN)}`, "session"],
    ]);
  });

  it.each(["", "Bearer", "Bearer nonsense", "Basic dXNlcjpwYXNz", `${fresh()}`])(
    "refuses '%s' unread",
    async (given) => {
      await expect(authorize(given)).rejects.toThrow(/^Unauthorized$/);
      expect(asked).toEqual([]);
    },
  );

  it("refuses a token of another secret, and one that has ended", async () => {
    const foreign = signToken({ sub: "cus-7Qm3", exp: Math.floor(Date.now() / 1000) + 60 }, `${SECRET}!`);
    await expect(authorize(`Bearer ${foreign}`)).rejects.toThrow(/^Unauthorized$/);
    const ended = signToken({ sub: "cus-7Qm3", exp: Math.floor(Date.now() / 1000) - 1 }, SECRET);
    await expect(authorize(`Bearer ${ended}`)).rejects.toThrow(/^Unauthorized$/);
  });

  it("lets nobody in while the secret cannot be read, and does not call that unauthorized", async () => {
    status = 400;
    await expect(authorize(`Bearer ${fresh()}`)).rejects.toThrow(`the secret ${ARN} cannot be read: HTTP 400`);
    status = 200;
  });
});
