import { IdempotencyResultError } from "../../core/errors.ts";
import { pathOf } from "../../core/plain.ts";
import type { HttpRequest } from "./event.ts";

type Headers = Readonly<Record<string, unknown>>;

/** A response as API Gateway, function URLs and load balancers take it. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers?: Headers;
  readonly multiValueHeaders?: Headers;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  readonly statusDescription?: string;
  /** Payload 2.0: never stored. */
  readonly cookies?: readonly string[];
}

/**
 * What a handler's result is as a response: one without `statusCode` is a 200 whose body it is, as API Gateway has it
 * for payload 2.0.
 */
function responseOf(result: unknown): HttpResponse {
  if ((result as { statusCode?: unknown } | null | undefined)?.statusCode !== undefined) return result as HttpResponse;
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: typeof result === "string" ? result : jsonOf(result ?? null),
  };
}

function jsonOf(result: unknown): string {
  try {
    return JSON.stringify(result) ?? "null";
  } catch {
    throw new IdempotencyResultError({ path: "$", detail: "a value that has no JSON" });
  }
}

const FINAL: ReadonlySet<number> = new Set([400, 405, 410, 413, 415, 422]);

/** Whether a response is the operation's final answer. The rest may be different when the same request comes again. */
export function isFinal(result: unknown): boolean {
  const status = Number(responseOf(result).statusCode);
  return (status >= 200 && status < 400) || FINAL.has(status);
}

/**
 * What of a response is stored: status, body, and the headers whose names (in lower case) are in `allowed`.
 *
 * @throws IdempotencyResultError for a header with a line break in its value, whether it would be stored or not
 */
export function storedResponse(result: unknown, allowed: ReadonlySet<string>): HttpResponse {
  const response = responseOf(result);
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded, statusDescription } = response;
  refuseLineBreaks("cookies", "set-cookie", response.cookies);
  return {
    statusCode,
    ...(headers && { headers: allowedHeaders(headers, "headers", allowed) }),
    ...(multiValueHeaders && { multiValueHeaders: allowedHeaders(multiValueHeaders, "multiValueHeaders", allowed) }),
    ...(body !== undefined && { body }),
    ...(isBase64Encoded !== undefined && { isBase64Encoded }),
    ...(statusDescription !== undefined && { statusDescription }),
  };
}

function allowedHeaders(headers: Headers, place: string, allowed: ReadonlySet<string>): Headers {
  const kept: [string, unknown][] = [];
  for (const [name, value] of Object.entries(headers)) {
    refuseLineBreaks(place, name, value);
    if (allowed.has(name.toLowerCase())) kept.push([name, value]);
  }
  return Object.fromEntries(kept);
}

/** A line break would end the header, and what follows would be another one, or the body. */
function refuseLineBreaks(place: string, name: string, value: unknown): void {
  for (const text of [name, ...[value].flat()]) {
    if (typeof text === "string" && /[\r\n\0]/.test(text)) {
      throw new IdempotencyResultError({ path: pathOf([place, name]), detail: "a header with a line break" });
    }
  }
}

/** The response with more headers, where the sender of this request reads them. */
export function withHeaders(
  result: unknown,
  more: Readonly<Record<string, string>>,
  request: HttpRequest,
): HttpResponse {
  const response = responseOf(result);
  if (!request.listsOnly) return { ...response, headers: { ...response.headers, ...more } };
  const lists = Object.entries(more).map(([name, value]) => [name, [value]]);
  return { ...response, multiValueHeaders: { ...response.multiValueHeaders, ...Object.fromEntries(lists) } };
}
