import { refuseValue } from "../../core/check.ts";
import type { HttpEvent } from "./event.ts";

/** What identifies a caller; `undefined` or a part that is missing: nobody is known. */
type Principal = unknown;

/**
 * The caller of a verified JSON web token: its issuer and its subject, since a subject is unique for one issuer only.
 * Reads the claims where API Gateway puts them after it has verified the token: a JWT authorizer of an HTTP API, a Cognito
 * authorizer of a REST API.
 *
 * @example
 * const binding = http({ principal: jwtPrincipal() });
 */
export function jwtPrincipal(): (event: HttpEvent) => Principal {
  return (event) => {
    const { jwt, claims } = authorizerOf(event) as { jwt?: { claims?: Facts }; claims?: Facts };
    const { iss, sub } = jwt?.claims ?? claims ?? {};
    return [iss, sub];
  };
}

/**
 * What a Lambda authorizer says about the caller: `principalId` of a REST API, or the `field` of its context.
 *
 * @throws IdempotencyConfigError for a field that is no name
 * @example
 * const binding = http({ principal: authorizerPrincipal("customerId") });
 */
export function authorizerPrincipal(field = "principalId"): (event: HttpEvent) => Principal {
  if (typeof field !== "string" || field === "")
    refuseValue("authorizerPrincipal(): field", field, "is a name in the authorizer's context");
  return (event) => {
    const authorizer = authorizerOf(event);
    const facts = (authorizer["lambda"] ?? authorizer) as Facts;
    return Object.hasOwn(facts, field) ? facts[field] : undefined;
  };
}

/**
 * The API key of a REST API's caller, by its id. An API key tells callers apart and proves nothing: use it beside an
 * authorizer.
 *
 * @example
 * const binding = http({ principal: apiKeyPrincipal() });
 */
export function apiKeyPrincipal(): (event: HttpEvent) => Principal {
  return (event) => {
    const { apiKeyId, apiKey } = identityOf(event);
    return apiKeyId ?? apiKey;
  };
}

/**
 * The caller of a request that is signed by IAM: account and role id, **without** the session name, since a role that is
 * assumed again is the same caller; for users and federated users their whole id. Where a Cognito identity pool lends
 * the role, all its users share the role id, and the identity's own id is part of the principal.
 *
 * Works for HTTP APIs, function URLs and REST APIs.
 *
 * @example
 * const binding = http({ principal: iamPrincipal() });
 */
export function iamPrincipal(): (event: HttpEvent) => Principal {
  return (event) => {
    const { iam } = authorizerOf(event) as { iam?: Facts };
    const identity = identityOf(event);
    const account = iam?.["accountId"] ?? identity["accountId"];
    const id = iam?.["userId"] ?? iam?.["callerId"] ?? identity["user"] ?? identity["caller"];
    const cognito =
      (iam?.["cognitoIdentity"] as Facts | null | undefined)?.["identityId"] ?? identity["cognitoIdentityId"];
    if (typeof id !== "string") return undefined;
    // `AROA...:session` is a role; of a federated user, `123456789012:name`, the name is what tells it from others.
    const who = id.startsWith("AROA") ? id.replace(/:.*/s, "") : id;
    return cognito === undefined || cognito === null ? [account, who] : [account, who, cognito];
  };
}

type Facts = Readonly<Record<string, unknown>>;

const contextOf = (event: HttpEvent): { readonly authorizer?: Facts | null; readonly identity?: Facts | null } =>
  Object(event.requestContext) as object;

const authorizerOf = (event: HttpEvent): Facts => contextOf(event).authorizer ?? {};
const identityOf = (event: HttpEvent): Facts => contextOf(event).identity ?? {};
