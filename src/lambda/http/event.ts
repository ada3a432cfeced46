import { IdempotencyConfigError } from "../../core/errors.ts";
import { kindOf } from "../../core/plain.ts";

type Values = Readonly<Record<string, string | undefined>> | null;
type Lists = Readonly<Record<string, readonly string[] | undefined>> | null;

/**
 * What of an HTTP event is read. The events of API Gateway (payload 1.0 and 2.0), of function URLs and of an
 * Application Load Balancer fit, and so do their types in `@types/aws-lambda`.
 */
export interface HttpEvent {
  readonly httpMethod?: string | undefined;
  readonly path?: string | undefined;
  readonly rawPath?: string | undefined;
  readonly rawQueryString?: string | undefined;
  readonly headers?: Values | undefined;
  readonly multiValueHeaders?: Lists | undefined;
  readonly queryStringParameters?: Values | undefined;
  readonly multiValueQueryStringParameters?: Lists | undefined;
  /** Text as it came, or what a body parser has made of it. */
  readonly body?: unknown;
  /** The body as it came, kept by a hook that runs before a body parser. */
  readonly rawBody?: unknown;
  readonly isBase64Encoded?: boolean | undefined;
  readonly requestContext?: object | undefined;
}

/** One request, whichever service sent the event. */
export interface HttpRequest {
  readonly event: HttpEvent;
  readonly method: string;
  readonly path: string;
  /** The sender reads headers of answers from `multiValueHeaders` only: a load balancer with multi-value headers. */
  readonly listsOnly: boolean;
  /** A load balancer: its answers carry `statusDescription`. */
  readonly balanced: boolean;
  /** The different values of each header, by its name in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/**
 * The request that an event tells of.
 *
 * @throws IdempotencyConfigError for an event of another kind
 */
export function readRequest(event: unknown): HttpRequest {
  const given = Object(event) as HttpEvent;
  const { http, elb } = Object(given.requestContext) as { http?: { method?: unknown }; elb?: unknown };
  const method = http?.method ?? given.httpMethod;
  const path = given.rawPath ?? given.path;
  if (typeof method !== "string" || typeof path !== "string") {
    throw new IdempotencyConfigError(
      `http() was handed ${kindOf(event)} without a method and a path; allowed are events of API Gateway (payload 1.0 and 2.0), function URLs and load balancers`,
    );
  }
  return {
    event: given,
    method: method.toUpperCase(),
    path,
    balanced: elb !== undefined,
    // Something that completes events may have put an empty map beside the headers of a balancer that knows no lists.
    listsOnly: elb !== undefined && Object.keys(given.multiValueHeaders ?? {}).length > 0,
    headers: headersOf(given),
  };
}

/** The only value of a header; `undefined` where it is absent. Several are joined as HTTP joins them. */
export function headerOf({ headers }: HttpRequest, name: string): string | undefined {
  return headers.get(name)?.join(", ");
}

/** A header may stand in both places: all values in a list, and beside it the last one, or all of them joined. */
function headersOf({ headers, multiValueHeaders }: HttpEvent): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const add = (name: string, value: unknown): void => {
    const values = found.get(name.toLowerCase()) ?? [];
    if (typeof value === "string" && !values.includes(value)) found.set(name.toLowerCase(), [...values, value]);
  };
  const joined = new Set<string>();
  for (const [name, list] of Object.entries(multiValueHeaders ?? {})) {
    if (!Array.isArray(list)) continue;
    for (const value of list) add(name, value);
    if (list.length > 1) for (const comma of [",", ", "]) joined.add(`${name.toLowerCase()}:${list.join(comma)}`);
  }
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!joined.has(`${name.toLowerCase()}:${value}`)) add(name, value);
  }
  return found;
}
