import type {
  APIGatewayAuthorizerResult,
  APIGatewayRequestAuthorizerEvent,
  APIGatewayTokenAuthorizerEvent,
} from "aws-lambda";
import type { AuthorizerModel, Parameter } from "./api-model.ts";
import type { Answer } from "./functions.ts";
import { type ApiRequest, type AuthorizerContext, headerOf, methodArn, payloadV1 } from "./payload.ts";

/** What an authorizer makes of a request. */
export type Verdict =
  | { readonly kind: "allowed"; readonly context: AuthorizerContext }
  | { readonly kind: "denied"; readonly explicitly: boolean }
  | { readonly kind: "unauthorized" | "failed" | "misconfigured" };

/** Asks an authorizer, or remembers what it said about the same caller. */
export type Authorize = (request: ApiRequest) => Promise<Verdict>;

/** A Lambda authorizer. Its answer is kept for the caller's other requests as well, whatever their route, as in AWS. */
export function authorizer(model: AuthorizerModel, invoke: (payload: string) => Promise<Answer>): Authorize {
  const kept = new Map<string, { readonly until: number; readonly result: APIGatewayAuthorizerResult }>();

  return async (request) => {
    const identity = model.sources.map((source) => parameterOf(request, source));
    const incomplete = identity.some((value) => value === undefined || value === "");
    if (incomplete && (model.kind === "TOKEN" || model.ttl > 0)) return { kind: "unauthorized" };
    const token = identity[0] ?? "";
    if (model.kind === "TOKEN" && model.validation?.test(token) === false) return { kind: "unauthorized" };

    const key = JSON.stringify([request.stage.name, ...identity]);
    const known = kept.get(key);
    if (known !== undefined && known.until > request.time) return judge(known.result, methodArn(request), 0);

    const begun = performance.now();
    const answer = await invoke(JSON.stringify(eventOf(model, request, token)));
    if (answer.status === "error" && answer.error.errorMessage === "Unauthorized") return { kind: "unauthorized" };
    if (answer.status !== "ok") return { kind: "failed" };
    const result = readResult(answer.payload);
    if (result === undefined) return { kind: "misconfigured" };
    if (model.ttl > 0 && identity.length > 0) kept.set(key, { until: Date.now() + model.ttl * 1_000, result });
    return judge(result, methodArn(request), Math.round(performance.now() - begun));
  };
}

function eventOf(
  { kind }: AuthorizerModel,
  request: ApiRequest,
  token: string,
): APIGatewayTokenAuthorizerEvent | APIGatewayRequestAuthorizerEvent {
  if (kind === "TOKEN") return { type: "TOKEN", methodArn: methodArn(request), authorizationToken: token };
  const { body, isBase64Encoded, ...event } = payloadV1(request, undefined);
  return { ...event, type: "REQUEST", methodArn: methodArn(request) } as APIGatewayRequestAuthorizerEvent;
}

/** A header, query or path parameter of the request. */
export function parameterOf(request: ApiRequest, { in: place, name }: Parameter): string | undefined {
  if (place === "header") return headerOf(request.headers, name.toLowerCase());
  if (place === "path") return request.parameters?.[name];
  return new URLSearchParams(request.query).get(name) ?? undefined;
}

/** `undefined` where API Gateway would not understand it: no principal, no policy, or a context of more than scalars. */
function readResult(payload: string): APIGatewayAuthorizerResult | undefined {
  const result = JSON.parse(payload) as Partial<APIGatewayAuthorizerResult> | null;
  if (typeof result?.principalId !== "string" || !Array.isArray(result.policyDocument?.Statement)) return undefined;
  const scalars = Object.values(result.context ?? {}).every((value) => typeof value !== "object");
  return scalars ? (result as APIGatewayAuthorizerResult) : undefined;
}

/** Evaluates the policy: what is denied is denied, what no statement allows is not allowed. */
function judge(result: APIGatewayAuthorizerResult, arn: string, integrationLatency: number): Verdict {
  const statements = result.policyDocument.Statement as readonly Statement[];
  const fitting = statements.filter(
    (statement) => fits(statement.Action, "execute-api:Invoke") && fits(statement.Resource, arn),
  );
  if (fitting.some(({ Effect }) => Effect === "Deny")) return { kind: "denied", explicitly: true };
  if (!fitting.some(({ Effect }) => Effect === "Allow")) return { kind: "denied", explicitly: false };
  // API Gateway hands every value of the context on as text.
  const context = Object.entries(result.context ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    kind: "allowed",
    context: { ...Object.fromEntries(context), principalId: result.principalId, integrationLatency },
  };
}

interface Statement {
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
}

/** Whether one of the patterns, with `*` and `?`, covers the value. */
function fits(patterns: string | readonly string[] | undefined, value: string): boolean {
  return [patterns ?? []].flat().some((pattern) => {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    return new RegExp(`^${source}$`, "i").test(value);
  });
}
