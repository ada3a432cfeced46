import middy6 from "@middy/core";
import middy7 from "middy7";
import type { Binding } from "../../src/index.ts";

/** A request as a hook sees it; of Middy 6 and 7 alike. */
export interface HookRequest {
  event: HttpEvent;
  context: Record<string, unknown>;
  response?: unknown;
  error?: unknown;
  earlyResponse?: unknown;
  internal: Record<string, unknown>;
}
type Hook = (request: HookRequest) => unknown;

/** What of Middy 6 and 7 these tests use; their own types differ. */
export interface Middyfied {
  (event: HttpEvent, context?: unknown): Promise<HttpResponse>;
  use(middleware: unknown): Middyfied;
  before(hook: Hook): Middyfied;
  after(hook: Hook): Middyfied;
  onError(hook: Hook): Middyfied;
}
export type AnyMiddy = (handler: unknown, plugin?: object) => Middyfied;

export const MIDDIES: readonly (readonly [string, AnyMiddy])[] = [
  ["Middy 6", middy6 as unknown as AnyMiddy],
  ["Middy 7", middy7 as unknown as AnyMiddy],
];

/** A REST API's event, as far as it matters. */
export interface HttpEvent {
  readonly httpMethod: string;
  readonly path: string;
  headers: Record<string, string>;
  body: unknown;
}

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

export const post = (key: string | undefined, body: unknown = { sku: "a" }, path = "/orders"): HttpEvent => ({
  httpMethod: "POST",
  path,
  headers: {
    "Content-Type": "application/json",
    Origin: "https://shop.example",
    ...(key !== undefined && { "Idempotency-Key": key }),
  },
  body: JSON.stringify(body),
});

/** A binding of one's own that renders what it answers. */
export const http: Binding<readonly [event: HttpEvent, ...rest: unknown[]], HttpResponse> = {
  name: "http, for these tests",
  identify: ({ headers, body }) => ({
    key: headers["idempotency-key"] ?? headers["Idempotency-Key"],
    fingerprint: body,
  }),
  replay: (response) => ({ ...response, headers: { ...response.headers, "Idempotent-Replayed": "true" } }),
  refuse: ({ statusCode, code, headers }) => ({
    statusCode,
    headers: { ...headers, "Content-Type": "application/problem+json" },
    body: JSON.stringify({ code }),
  }),
};
