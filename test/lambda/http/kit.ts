import { vi } from "vitest";
import alb from "../../../events/alb.json" with { type: "json" };
import httpApi from "../../../events/api-gateway-http.json" with { type: "json" };
import restApi from "../../../events/api-gateway-rest.json" with { type: "json" };
import functionUrl from "../../../events/function-url.json" with { type: "json" };
import { type HttpEvent, type HttpOptions, http } from "../../../src/http.ts";
import { type IdempotencyEvent, idempotent, type Options } from "../../../src/index.ts";
import { idempotency } from "../../../src/middy.ts";
import { lambdaContext, type TestingStore, testingStore } from "../../../src/testing.ts";
import { MIDDIES } from "../middies.ts";

/** The services that send HTTP events. */
export const KINDS = ["HTTP API", "REST API", "function URL", "load balancer", "load balancer with lists"] as const;
export type Kind = (typeof KINDS)[number];

/** One request as its client sends it. A list is a header or a parameter that is sent several times. */
export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | undefined;
  readonly base64?: boolean;
  readonly user?: string | undefined;
}

/** An answer, with its headers in lower case wherever they stood. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** What the front end returned. */
  readonly raw: Readonly<Record<string, unknown>>;
}

const KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324";

/** The event that a service makes of a request. */
export function eventOf(kind: Kind, sent: Sent = {}): HttpEvent {
  const { method = "POST", path = "/orders", query = [], user = "ann", base64 = false } = sent;
  const given = { "Idempotency-Key": KEY, "Content-Type": "application/json", ...sent.headers };
  const body = "body" in sent ? sent.body : '{"sku":"a"}';
  const lists = new Map<string, string[]>();
  for (const [name, value] of Object.entries(given)) if (value !== "-") lists.set(name, [value].flat());
  const coded = body !== undefined && base64 ? Buffer.from(body).toString("base64") : body;
  const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString();
  const parameters: Record<string, string[]> = {};
  for (const [name, value] of query)
    Object.defineProperty(parameters, name, {
      value: [...(parameters[name] ?? []), value],
      enumerable: true,
      configurable: true,
    });
  const last = (values: object): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values as Record<string, string[]>).map(([name, list]) => [name, list.at(-1) ?? ""]),
    );
  const many = Object.fromEntries(lists);

  switch (kind) {
    case "HTTP API":
    case "function URL": {
      const event = structuredClone(kind === "HTTP API" ? httpApi : functionUrl);
      event.requestContext.http = { ...event.requestContext.http, method, path };
      const authorizer =
        kind === "HTTP API"
          ? { jwt: { claims: { iss: "https://login.example/", sub: user } } }
          : { iam: { accountId: "123456789012", userId: `AROA${user.toUpperCase()}:session-${Math.random()}` } };
      return {
        ...event,
        requestContext: { ...event.requestContext, authorizer },
        rawPath: path,
        rawQueryString: search,
        headers: Object.fromEntries([...lists].map(([name, values]) => [name.toLowerCase(), values.join(",")])),
        body: coded,
        isBase64Encoded: base64,
      };
    }
    case "REST API": {
      const event = structuredClone(restApi);
      return {
        ...event,
        httpMethod: method,
        path,
        headers: last(many),
        multiValueHeaders: many,
        queryStringParameters: query.length === 0 ? null : last(parameters),
        multiValueQueryStringParameters: query.length === 0 ? null : parameters,
        requestContext: { ...event.requestContext, authorizer: { principalId: user } },
        body: coded || null,
        isBase64Encoded: base64,
      };
    }
    default: {
      const { headers: _, queryStringParameters: __, ...event } = structuredClone(alb);
      const who = { "x-amzn-oidc-identity": user };
      const parts =
        kind === "load balancer"
          ? { headers: { ...last(many), ...who }, queryStringParameters: last(parameters) }
          : {
              multiValueHeaders: { ...many, "x-amzn-oidc-identity": [user] },
              multiValueQueryStringParameters: parameters,
            };
      return { ...event, ...parts, httpMethod: method, path, body: coded ?? "", isBase64Encoded: base64 };
    }
  }
}

/** The user of `eventOf`, wherever the service puts it. */
export function userOf(event: HttpEvent): unknown {
  const context = event.requestContext as {
    authorizer?: { jwt?: { claims: { sub: string } }; iam?: { userId: string }; principalId?: string };
  };
  const { jwt, iam, principalId } = context.authorizer ?? {};
  const oidc = event.headers?.["x-amzn-oidc-identity"] ?? event.multiValueHeaders?.["x-amzn-oidc-identity"]?.[0];
  return jwt?.claims.sub ?? iam?.userId.split(":")[0] ?? principalId ?? oidc;
}

type Handler = (event: HttpEvent, context?: unknown) => Promise<unknown>;
type Args = readonly [event: HttpEvent, context?: unknown];
type Bound = Options<Args, unknown> & Required<Pick<Options<Args, unknown>, "binding">>;
export type FrontEnd = (handler: Handler, options: Bound) => Handler;

/** Every way into the engine that a binding serves. */
export const FRONT_ENDS: readonly (readonly [name: string, make: FrontEnd])[] = [
  ["the wrapper", (handler, options) => idempotent(handler, options)],
  [
    "the decorator",
    (handler, options) => {
      class Api {
        @idempotent(options)
        async handle(event: HttpEvent, context?: unknown): Promise<unknown> {
          return handler(event, context);
        }
      }
      const api = new Api();
      return (event, context) => api.handle(event, context);
    },
  ],
  ...MIDDIES.flatMap(([name, middy]): [string, FrontEnd][] => [
    [
      `the middleware of ${name}`,
      (handler, options) => middy(handler).use(idempotency(options as never)) as unknown as Handler,
    ],
    [`the wrapper inside ${name}`, (handler, options) => middy(idempotent(handler, options)) as unknown as Handler],
  ]),
];

export const created = {
  statusCode: 201,
  headers: { "Content-Type": "application/json", Location: "/orders/1", "Set-Cookie": "session=1", "X-Trace": "t-1" },
  body: '{"id":1}',
};

/** An endpoint behind a service, and everything about it that can be looked at. */
export interface Endpoint {
  readonly handler: ReturnType<typeof vi.fn<Handler>>;
  readonly store: TestingStore;
  readonly events: IdempotencyEvent[];
  send(sent?: Sent): Promise<Answer>;
  sendEvent(event: HttpEvent): Promise<Answer>;
}

export function endpoint(
  options: Partial<HttpOptions> = {},
  more: Partial<Options<Args, unknown>> & {
    readonly kind?: Kind;
    readonly make?: FrontEnd;
  } = {},
): Endpoint {
  const { kind = "HTTP API", make = FRONT_ENDS[0]?.[1] as FrontEnd, ...operation } = more;
  const store = testingStore();
  const events: IdempotencyEvent[] = [];
  const handler = vi.fn<Handler>(async () => structuredClone(created));
  const call = make((event, context) => handler(event, context), {
    store,
    operation: "orders",
    binding: http({ principal: userOf, ...options }),
    observe: (event) => void events.push(event),
    ...operation,
  });
  const sendEvent = async (event: HttpEvent): Promise<Answer> => answerOf(await call(event, lambdaContext()));
  return { handler, store, events, sendEvent, send: (sent) => sendEvent(eventOf(kind, sent)) };
}

export function answerOf(result: unknown): Answer {
  const raw = Object(result) as Record<string, unknown>;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({
    ...(raw["headers"] as object),
    ...(raw["multiValueHeaders"] as object),
  })) {
    headers[name.toLowerCase()] = [value].flat().join(", ");
  }
  return { status: raw["statusCode"] as number, headers, body: raw["body"], raw };
}

/** The problem details of an answer; fails where it has none. */
export function problemOf({ headers, body }: Answer): Record<string, unknown> {
  if (headers["content-type"] !== "application/problem+json")
    throw new Error(`no problem but ${headers["content-type"]}`);
  return JSON.parse(String(body)) as Record<string, unknown>;
}
