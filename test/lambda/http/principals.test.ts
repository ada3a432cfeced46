import { describe, expect, it } from "vitest";
import { apiKeyPrincipal, authorizerPrincipal, type HttpEvent, iamPrincipal, jwtPrincipal } from "../../../src/http.ts";
import { endpoint, eventOf, problemOf } from "./kit.ts";

const withContext = (requestContext: object): HttpEvent => {
  const event = eventOf("HTTP API");
  return { ...event, requestContext: { ...event.requestContext, ...requestContext } };
};
const iam = (facts: object) => withContext({ authorizer: { iam: { accountId: "123456789012", ...facts } } });
const rest = (identity: object) =>
  withContext({ authorizer: null, identity: { accountId: "123456789012", ...identity } });

/** Whether two callers that send the same key share a record. */
async function meet(principal: (event: HttpEvent) => unknown, one: HttpEvent, other: HttpEvent): Promise<boolean> {
  const { sendEvent, store } = endpoint({ principal });
  expect((await sendEvent(one)).status).toBe(201);
  expect((await sendEvent(other)).status).toBe(201);
  return store.records().length === 1;
}

describe("jwtPrincipal()", () => {
  const token = (claims: object) => withContext({ authorizer: { jwt: { claims } } });
  const cognito = (claims: object) => withContext({ authorizer: { claims } });

  it.each([token, cognito])("is issuer and subject", async (of) => {
    const ann = { iss: "https://a.example", sub: "1", scope: "x" };
    expect(await meet(jwtPrincipal(), of(ann), of({ ...ann, scope: "y" }))).toBe(true);
    expect(await meet(jwtPrincipal(), of(ann), of({ ...ann, sub: "2" }))).toBe(false);
    expect(await meet(jwtPrincipal(), of(ann), of({ ...ann, iss: "https://b.example" }))).toBe(false);
  });

  it.each([{}, { sub: "1" }, { iss: "https://a.example" }, { iss: "", sub: "1" }])(
    "is nobody for the claims %j",
    async (claims) => {
      expect((await endpoint({ principal: jwtPrincipal() }).sendEvent(token(claims))).status).toBe(401);
    },
  );
});

describe("authorizerPrincipal()", () => {
  it("is what the Lambda authorizer says, in both payloads", async () => {
    const one = withContext({ authorizer: { principalId: "ann", tenant: "t-1" } });
    const other = withContext({ authorizer: { lambda: { principalId: "ann", tenant: "t-2" } } });
    expect(await meet(authorizerPrincipal(), one, other)).toBe(true);
    expect(await meet(authorizerPrincipal("tenant"), one, other)).toBe(false);
  });

  it.each([{ authorizer: null }, { authorizer: {} }, { authorizer: { lambda: {} } }])(
    "is nobody for %j",
    async (context) => {
      expect((await endpoint({ principal: authorizerPrincipal() }).sendEvent(withContext(context))).status).toBe(401);
      expect(
        (await endpoint({ principal: authorizerPrincipal("toString") }).sendEvent(withContext(context))).status,
      ).toBe(401);
    },
  );
});

describe("apiKeyPrincipal()", () => {
  it("is the id of the key", async () => {
    const key = (apiKeyId: string) => rest({ apiKeyId, apiKey: "secret" });
    expect(await meet(apiKeyPrincipal(), key("a"), key("a"))).toBe(true);
    expect(await meet(apiKeyPrincipal(), key("a"), key("b"))).toBe(false);
    expect((await endpoint({ principal: apiKeyPrincipal() }).sendEvent(rest({ apiKeyId: null }))).status).toBe(401);
  });
});

describe("iamPrincipal()", () => {
  it.each([
    ["payload 2.0", (userId: string) => iam({ userId })],
    ["payload 1.0", (user: string) => rest({ user, caller: user })],
  ])("of %s is account and role, whatever the session; users and federated users are themselves", async (_, of) => {
    expect(await meet(iamPrincipal(), of("AROAXYZ:morning"), of("AROAXYZ:evening"))).toBe(true);
    expect(await meet(iamPrincipal(), of("AROAXYZ:s"), of("AROAABC:s"))).toBe(false);
    expect(await meet(iamPrincipal(), of("AIDAANN"), of("AIDABEN"))).toBe(false);
    expect(await meet(iamPrincipal(), of("123456789012:ann"), of("123456789012:ben"))).toBe(false);
  });

  it("tells the users of an identity pool apart, who share a role", async () => {
    const of = (identityId: string) =>
      iam({ userId: "AROAXYZ:CognitoIdentityCredentials", cognitoIdentity: { identityId } });
    expect(await meet(iamPrincipal(), of("eu-1:ann"), of("eu-1:ben"))).toBe(false);
    expect(await meet(iamPrincipal(), of("eu-1:ann"), of("eu-1:ann"))).toBe(true);
  });

  it("is the account's too", async () => {
    expect(await meet(iamPrincipal(), iam({ userId: "AROAXYZ:s" }), iam({ userId: "AROAXYZ:s", accountId: "2" }))).toBe(
      false,
    );
    expect((await endpoint({ principal: iamPrincipal() }).sendEvent(withContext({ authorizer: null }))).status).toBe(
      401,
    );
  });
});

describe("the principal", () => {
  it.each([
    ["an expression", "requestContext.authorizer.jwt.claims.sub"],
    ["an expression over a header in any letter case", 'headers."X-User"'],
    ["an expression of several parts", "[requestContext.stage, requestContext.authorizer.jwt.claims.sub]"],
  ])("may be %s, and is 401 without it", async (_, principal) => {
    const { send, handler, store } = endpoint({ principal });
    for (const user of ["ann", "ben"]) await send({ user, headers: { "x-USER": user } });
    expect([handler.mock.calls.length, store.records().length]).toStrictEqual([2, 2]);
    const nobody = eventOf("HTTP API");
    const answer = await endpoint({ principal }).sendEvent({
      ...nobody,
      requestContext: { ...nobody.requestContext, authorizer: null },
    });
    expect([answer.status, problemOf(answer)["code"]]).toStrictEqual([401, "principal_missing"]);
  });

  it("that a function throws about is 401, with the challenge that was given", async () => {
    const fail = () => {
      throw new TypeError("no claims of secret user");
    };
    const answer = await endpoint({ principal: fail, challenge: 'Bearer realm="shop"' }).send();
    expect([answer.status, answer.headers["www-authenticate"]]).toStrictEqual([401, 'Bearer realm="shop"']);
    expect(JSON.stringify(answer)).not.toContain("secret user");
  });

  it("that is a promise is a config error", async () => {
    await expect(endpoint({ principal: async () => "ann" }).send()).rejects.toMatchObject({ code: "config" });
  });

  it("false lets callers share keys", async () => {
    const { send, handler } = endpoint({ principal: false });
    await send({ user: "ann" });
    expect((await send({ user: "ben" })).headers["idempotent-replayed"]).toBe("true");
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("is not asked for where nothing is claimed", async () => {
    expect((await endpoint({ principal: () => undefined }).send({ method: "GET" })).status).toBe(201);
  });

  it("that authorize throws about passes through, and nothing runs", async () => {
    const gone = new Error("the directory is down");
    const { send, handler, store } = endpoint({ authorize: () => Promise.reject(gone) });
    await expect(send()).rejects.toBe(gone);
    expect([handler.mock.calls.length, store.records().length]).toStrictEqual([0, 0]);
  });

  it("is not let in by anything but true", async () => {
    expect((await endpoint({ authorize: (() => "yes") as never }).send()).status).toBe(403);
  });
});
