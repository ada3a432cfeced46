import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { APIGatewayProxyResult, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { ApiModel, Target } from "./api-model.ts";
import { type Authorize, authorizer, parameterOf, type Verdict } from "./authorizer.ts";
import type { Answer } from "./functions.ts";
import { type HttpAnswer, type Refusal, refusal } from "./gateway-response.ts";
import { type ApiRequest, type AuthorizerContext, headerOf, isBinary, payloadV1, payloadV2 } from "./payload.ts";
import { findRoute } from "./routes.ts";

/** A request that has been answered. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
  readonly answer: HttpAnswer;
  /** The invocation that it led to, if it did. */
  readonly requestId?: string;
}

export interface ApiHost {
  readonly region: string;
  readonly account: string;
  invoke(functionArn: string, payload: string): Promise<Answer>;
  answered(call: ApiCall): void;
}

/** API Gateway takes ten megabytes, Lambda six of them. */
const BODY_LIMIT = 10 * 1024 * 1024;

/** An HTTP server that answers as API Gateway does for the API. `listen` comes first, since the template wants to know where. */
export function serveApi(server: Server, api: ApiModel, host: ApiHost): void {
  const authorizers = new Map<string, Authorize>(
    api.authorizers.map((model) => [model.id, authorizer(model, (payload) => host.invoke(model.functionArn, payload))]),
  );

  /** What API Gateway itself objects to; the authorizer's context where it does not. */
  const admit = async (request: ApiRequest): Promise<HttpAnswer | AuthorizerContext | undefined> => {
    const { route } = request;
    let context: AuthorizerContext | undefined;
    if (route.authorizer !== undefined) {
      const verdict: Verdict = (await authorizers.get(route.authorizer)?.(request)) ?? { kind: "misconfigured" };
      if (verdict.kind === "denied") return refusal(api, "ACCESS_DENIED", verdict.explicitly ? EXPLICITLY : undefined);
      if (verdict.kind !== "allowed") return refusal(api, REFUSED[verdict.kind]);
      context = verdict.context;
    }
    const missing = route.required.filter((parameter) => !parameterOf(request, parameter));
    if (missing.length === 0) return context;
    const names = missing.map(({ name }) => name).join(", ");
    return refusal(api, "BAD_REQUEST_PARAMETERS", `Missing required request parameters: [${names}]`);
  };

  const integrate = async (request: ApiRequest, target: Target & { kind: "lambda" }, context?: AuthorizerContext) => {
    const event = target.payload === "1.0" ? payloadV1(request, context) : payloadV2(request);
    const late = new AbortController();
    const answer = await Promise.race([
      host.invoke(target.functionArn, JSON.stringify(event)),
      pause(target.timeout, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    if (answer === undefined) return { answer: refusal(api, "INTEGRATION_TIMEOUT") };
    return { requestId: answer.requestId, answer: fromFunction(api, target, request, answer) };
  };

  const respond = async (incoming: IncomingMessage): Promise<ApiCall> => {
    const method = incoming.method ?? "GET";
    const [fullPath = "/", ...query] = (incoming.url ?? "/").split("?");
    const told = (answer: HttpAnswer): ApiCall => ({ method, path: fullPath, answer });
    const body = await bodyOf(incoming);
    if (body === undefined) return told(refusal(api, "REQUEST_TOO_LARGE"));
    const found = findRoute(api, method, fullPath);
    if (found.kind !== "route") return told(refusal(api, NOT_FOUND[found.kind]));
    const request: ApiRequest = {
      ...host,
      ...found,
      api,
      method,
      fullPath,
      query: query.join("?"),
      headers: headersOf(incoming),
      body,
      sourceIp: "127.0.0.1",
      id: randomUUID(),
      time: Date.now(),
    };
    const admitted = await admit(request);
    if (isAnswer(admitted)) return told(admitted);
    const { target } = found.route;
    if (target.kind === "mock")
      return told({ status: target.status, headers: Object.entries(target.headers), body: "" });
    return { ...told(refusal(api, "INTEGRATION_FAILURE")), ...(await integrate(request, target, admitted)) };
  };

  server.on("request", (incoming: IncomingMessage, response: ServerResponse) => {
    respond(incoming)
      .then((call) => {
        const answer = isSendable(call.answer) ? call.answer : refusal(api, "INTEGRATION_FAILURE");
        for (const [name, value] of answer.headers) response.appendHeader(name, value);
        response.appendHeader("x-amzn-requestid", randomUUID());
        response.statusCode = answer.status;
        response.end(answer.body); // Node leaves the body of a HEAD out.
        host.answered({ ...call, answer });
      })
      .catch(() => incoming.socket.destroy()); // The caller has gone.
  });
}

/** A server for `serveApi`; it answers malformed HTTP by itself. */
export function apiServer(): Server {
  const server = createServer();
  server.on("clientError", (_error, socket) => {
    const body = '{"message":"Bad Request"}';
    const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`;
    if (socket.writable) socket.end(`${head}\r\n\r\n${body}`);
  });
  return server;
}

const EXPLICITLY = "User is not authorized to access this resource with an explicit deny in an identity-based policy";
const REFUSED = {
  unauthorized: "UNAUTHORIZED",
  failed: "AUTHORIZER_FAILURE",
  misconfigured: "AUTHORIZER_CONFIGURATION_ERROR",
} as const satisfies Record<string, Refusal>;
const NOT_FOUND = {
  "no stage": "FORBIDDEN",
  "no route": "MISSING_AUTHENTICATION_TOKEN",
  malformed: "DEFAULT_4XX",
} as const satisfies Record<string, Refusal>;
/** API Gateway keeps these names for itself. */
const REMAPPED = ["authorization", "connection", "date", "server", "www-authenticate"];

/** What becomes of a function's result. A REST API answers 502 for anything that it does not understand. */
function fromFunction(
  api: ApiModel,
  target: Target & { kind: "lambda" },
  request: ApiRequest,
  answer: Answer,
): HttpAnswer {
  if (answer.status === "throttled") return refusal(api, "THROTTLED");
  if (answer.status === "too large") return refusal(api, "REQUEST_TOO_LARGE");
  if (answer.status !== "ok") return refusal(api, "INTEGRATION_FAILURE");
  const result = asResult(JSON.parse(answer.payload), target.payload);
  if (result === undefined) return refusal(api, "INTEGRATION_FAILURE");
  const { statusCode, headers = {}, multiValueHeaders = {}, cookies = [], body = "", isBase64Encoded } = result;
  const lists = Object.fromEntries(
    Object.entries(multiValueHeaders).map(([name, values]) => [name.toLowerCase(), values]),
  );
  const single = Object.entries(headers).filter(([name]) => !(name.toLowerCase() in lists));
  const given = [...single, ...Object.entries(lists), ...cookies.map((cookie) => ["set-cookie", cookie] as const)]
    .flatMap(([name, values]) => [values].flat().map((value) => [name.toLowerCase(), String(value)] as const))
    .filter(([name]) => name !== "content-length" && name !== "transfer-encoding")
    .map(([name, value]) => [REMAPPED.includes(name) ? `x-amzn-remapped-${name}` : name, value] as const);
  const typed = given.some(([name]) => name === "content-type");
  const type = api.kind === "rest" ? "application/json" : "text/plain; charset=utf-8";
  const decoded = api.kind === "http" || isBinary(api.binaryMediaTypes, headerOf(request.headers, "accept"));
  return {
    status: Number(statusCode),
    headers: typed ? given : [["content-type", type], ...given],
    body: isBase64Encoded === true && decoded ? Buffer.from(body, "base64") : body,
  };
}

type Result = Omit<Partial<APIGatewayProxyResult & APIGatewayProxyStructuredResultV2>, "body"> & {
  readonly body?: string;
};

function asResult(value: unknown, payload: "1.0" | "2.0"): Result | undefined {
  const result = (value ?? undefined) as Result | undefined;
  const status = typeof result === "object" && "statusCode" in result;
  // Payload format 2.0 takes anything else for a body.
  if (payload === "2.0" && !status) {
    const body = typeof value === "string" ? value : JSON.stringify(value ?? null);
    return { statusCode: 200, headers: { "content-type": "application/json" }, body };
  }
  if (!status || !/^[2-5]\d\d$/.test(String(result.statusCode))) return undefined;
  const body = result.body ?? "";
  if (typeof body !== "string") return undefined;
  const lists = Object.values(result.multiValueHeaders ?? {});
  return lists.every((list) => Array.isArray(list)) ? { ...result, headers: result.headers ?? {}, body } : undefined;
}

function isAnswer(value: HttpAnswer | AuthorizerContext | undefined): value is HttpAnswer {
  return typeof value?.["status"] === "number" && Array.isArray(value["headers"]);
}

function isSendable({ headers }: HttpAnswer): boolean {
  try {
    for (const [name, value] of headers) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    return true;
  } catch {
    return false;
  }
}

/** With what API Gateway adds on the way. */
function headersOf({ rawHeaders, headers }: IncomingMessage): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
    if (!/^(connection|transfer-encoding|keep-alive|upgrade)$/i.test(name)) pairs.push([name, value]);
  }
  const trace = `Root=1-${Math.floor(Date.now() / 1_000).toString(16)}-${randomUUID().replaceAll("-", "").slice(0, 24)}`;
  const { "x-amzn-trace-id": given = trace } = headers;
  const added = [
    ["X-Amzn-Trace-Id", String(given)],
    ["X-Forwarded-For", [headers["x-forwarded-for"], "127.0.0.1"].flat().filter(Boolean).join(", ")],
    ["X-Forwarded-Port", "443"],
    ["X-Forwarded-Proto", "https"],
  ] as const;
  const replaced = new Set(added.map(([name]) => name.toLowerCase()));
  return [...pairs.filter(([name]) => !replaced.has(name.toLowerCase())), ...added];
}

/** `undefined` for one that is too large; it is read to its end, so that the sender hears the answer. */
async function bodyOf(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += (chunk as Buffer).length;
    if (length <= BODY_LIMIT) chunks.push(chunk as Buffer);
  }
  return length > BODY_LIMIT ? undefined : Buffer.concat(chunks);
}
