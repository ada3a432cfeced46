import type { ApiModel } from "./api-model.ts";

/** An HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | Buffer;
}

/** What API Gateway answers by itself: the kind, the status and the message of a REST API, and of an HTTP API. */
const REFUSALS = {
  ACCESS_DENIED: { rest: [403, "User is not authorized to access this resource"], http: [403, "Forbidden"] },
  AUTHORIZER_CONFIGURATION_ERROR: { rest: [500, null], http: [500, "Internal Server Error"] },
  AUTHORIZER_FAILURE: { rest: [500, null], http: [500, "Internal Server Error"] },
  BAD_REQUEST_PARAMETERS: { rest: [400, "Missing required request parameters"], http: [400, "Bad Request"] },
  DEFAULT_4XX: { rest: [400, "Bad Request"], http: [400, "Bad Request"] },
  FORBIDDEN: { rest: [403, "Forbidden"], http: [404, "Not Found"] },
  INTEGRATION_FAILURE: { rest: [502, "Internal server error"], http: [500, "Internal Server Error"] },
  INTEGRATION_TIMEOUT: { rest: [504, "Endpoint request timed out"], http: [503, "Service Unavailable"] },
  MISSING_AUTHENTICATION_TOKEN: { rest: [403, "Missing Authentication Token"], http: [404, "Not Found"] },
  REQUEST_TOO_LARGE: { rest: [413, "Request Too Long"], http: [413, "Request Entity Too Large"] },
  THROTTLED: { rest: [500, "Internal server error"], http: [503, "Service Unavailable"] },
  UNAUTHORIZED: { rest: [401, "Unauthorized"], http: [401, "Unauthorized"] },
} as const satisfies Record<string, Record<ApiModel["kind"], readonly [number, string | null]>>;

export type Refusal = keyof typeof REFUSALS;

/** API Gateway's own answer, in the form that the template's gateway responses give it. */
export function refusal(api: ApiModel, kind: Refusal, said?: string): HttpAnswer {
  const [usual, usually] = REFUSALS[kind][api.kind];
  const message = said ?? usually;
  const family = usual < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX";
  const own =
    api.gatewayResponses.find(({ type }) => type === kind) ?? api.gatewayResponses.find(({ type }) => type === family);
  // AWS writes this one with a capital letter.
  const name = kind === "ACCESS_DENIED" && api.kind === "rest" ? "Message" : "message";
  const values: Readonly<Record<string, string>> = {
    "error.message": String(message),
    "error.messageString": JSON.stringify(message),
    "error.responseType": kind,
  };
  const body =
    own?.template?.replace(/\$context\.([\w.]+)/g, (whole, variable: string) => values[variable] ?? whole) ??
    JSON.stringify({ [name]: message });
  const headers = Object.entries({ "content-type": "application/json", "x-amzn-errortype": kind, ...own?.headers });
  return { status: own?.status ?? usual, headers, body };
}
