import type {
  APIGatewayEventIdentity,
  APIGatewayProxyEvent,
  APIGatewayProxyEventHeaders,
  APIGatewayProxyEventV2,
} from "aws-lambda";
import type { ApiModel, RouteModel, StageModel } from "./api-model.ts";

/** A request that has found its route. */
export interface ApiRequest {
  readonly api: ApiModel;
  readonly stage: StageModel;
  readonly route: RouteModel;
  readonly method: string;
  /** As it was sent, without the stage. */
  readonly path: string;
  /** As it was sent, with the stage. */
  readonly fullPath: string;
  /** As it was sent, without the question mark. */
  readonly query: string;
  readonly parameters: Readonly<Record<string, string>> | null;
  /** In the order and the letter case in which they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly region: string;
  readonly account: string;
}

/** What an authorizer has said, for the handler. */
export type AuthorizerContext = Readonly<Record<string, unknown>>;

type Pairs = readonly (readonly [string, string])[];

/** `arn:aws:execute-api:...`, which policies are about. */
export function methodArn({ api, stage, method, path, region, account }: ApiRequest): string {
  return `arn:aws:execute-api:${region}:${account}:${api.apiId}/${stage.name}/${method}${path === "/" ? "/" : path}`;
}

/** The event of a REST API, or of an HTTP API that asks for it: payload format 1.0. */
export function payloadV1(request: ApiRequest, authorizer: AuthorizerContext | undefined): APIGatewayProxyEvent {
  const queries = [...new URLSearchParams(request.query)];
  const binary = isBinary(request.api.binaryMediaTypes, headerOf(request.headers, "content-type"));
  return {
    resource: request.route.path,
    path: request.path,
    httpMethod: request.method,
    headers: last(request.headers) ?? {},
    multiValueHeaders: lists(request.headers) ?? {},
    queryStringParameters: last(queries),
    multiValueQueryStringParameters: lists(queries),
    pathParameters: request.parameters,
    stageVariables: request.stage.variables,
    requestContext: contextV1(request, authorizer),
    body: request.body.length === 0 ? null : request.body.toString(binary ? "base64" : "utf8"),
    isBase64Encoded: binary && request.body.length > 0,
  };
}

function contextV1(
  request: ApiRequest,
  authorizer: AuthorizerContext | undefined,
): APIGatewayProxyEvent["requestContext"] {
  const { api, route, method, id, time } = request;
  return {
    resourceId: route.resourceId,
    ...(authorizer === undefined ? {} : { authorizer }),
    resourcePath: route.path,
    httpMethod: method,
    extendedRequestId: extendedId(id),
    requestTime: requestTime(time),
    path: request.fullPath,
    accountId: request.account,
    protocol: "HTTP/1.1",
    stage: request.stage.name,
    domainPrefix: api.apiId,
    requestTimeEpoch: time,
    requestId: id,
    identity: identityOf(request),
    domainName: domainOf(request),
    apiId: api.apiId,
  } as APIGatewayProxyEvent["requestContext"]; // `authorizer` is required there, and absent in open routes.
}

function identityOf({ sourceIp, headers }: ApiRequest): APIGatewayEventIdentity {
  return {
    cognitoIdentityPoolId: null,
    accountId: null,
    cognitoIdentityId: null,
    caller: null,
    sourceIp,
    principalOrgId: null,
    accessKey: null,
    cognitoAuthenticationType: null,
    cognitoAuthenticationProvider: null,
    userArn: null,
    userAgent: headerOf(headers, "user-agent") ?? null,
    user: null,
    apiKey: null,
    apiKeyId: null,
    clientCert: null,
  };
}

/** The event of an HTTP API: payload format 2.0. */
export function payloadV2(request: ApiRequest): APIGatewayProxyEventV2 {
  const { api, route, method, path, query, stage, id, time, headers, body } = request;
  const cookies = headers
    .filter(([name]) => name.toLowerCase() === "cookie")
    .flatMap(([, value]) => value.split(/; */));
  const others = headers.filter(([name]) => name.toLowerCase() !== "cookie");
  const type = headerOf(headers, "content-type") ?? "";
  const text = type === "" || /^text\/|^application\/(.*\+)?(json|javascript|xml)\b/i.test(type);
  const rawPath = decodeURIComponent(stage.name === "$default" ? path : request.fullPath);
  const routeKey = route.path === "$default" ? "$default" : `${route.method} ${route.path}`;
  return {
    version: "2.0",
    routeKey,
    rawPath,
    rawQueryString: query,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: joined(others.map(([name, value]) => [name.toLowerCase(), value] as const)),
    ...(query === "" ? {} : { queryStringParameters: joined([...new URLSearchParams(query)]) }),
    requestContext: {
      accountId: request.account,
      apiId: api.apiId,
      domainName: domainOf(request),
      domainPrefix: api.apiId,
      http: {
        method,
        path: rawPath,
        protocol: "HTTP/1.1",
        sourceIp: request.sourceIp,
        userAgent: headerOf(headers, "user-agent") ?? "",
      },
      requestId: extendedId(id),
      routeKey,
      stage: stage.name,
      time: requestTime(time),
      timeEpoch: time,
    },
    ...(request.parameters === null ? {} : { pathParameters: { ...request.parameters } }),
    ...(stage.variables === null ? {} : { stageVariables: { ...stage.variables } }),
    ...(body.length === 0 ? {} : { body: body.toString(text ? "utf8" : "base64") }),
    isBase64Encoded: !text && body.length > 0,
  };
}

/** The last one of that name, in any letter case. */
export function headerOf(headers: Pairs, name: string): string | undefined {
  return headers.filter(([given]) => given.toLowerCase() === name).at(-1)?.[1];
}

/** Whether a media type is one that the API takes and gives as base64. */
export function isBinary(types: readonly string[], given: string | undefined): boolean {
  const type = (given ?? "").split(/[;,]/)[0]?.trim().toLowerCase() ?? "";
  return types.some((binary) => {
    const [main, sub] = binary.toLowerCase().split("/");
    return (main === "*" || type.startsWith(`${main}/`)) && (sub === "*" || type.endsWith(`/${sub}`));
  });
}

function last(pairs: Pairs): APIGatewayProxyEventHeaders | null {
  return pairs.length === 0 ? null : Object.fromEntries(pairs);
}

function lists(pairs: Pairs): Record<string, string[]> | null {
  const names = [...new Set(pairs.map(([name]) => name))];
  if (names.length === 0) return null;
  return Object.fromEntries(
    names.map((name) => [name, pairs.filter(([given]) => given === name).map(([, value]) => value)]),
  );
}

function joined(pairs: Pairs): Record<string, string> {
  return Object.fromEntries(Object.entries(lists(pairs) ?? {}).map(([name, values]) => [name, values.join(",")]));
}

function domainOf({ api, region }: ApiRequest): string {
  return `${api.apiId}.execute-api.${region}.amazonaws.com`;
}

/** `JKJaXHmEFiAFoFw=` */
function extendedId(id: string): string {
  return `${Buffer.from(id.replaceAll("-", ""), "hex").toString("base64url").slice(0, 15)}=`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `07/Nov/2026:09:30:11 +0000` */
function requestTime(time: number): string {
  const [year, month = "", day, clock] = new Date(time).toISOString().split(/[-T.]/);
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${clock} +0000`;
}
