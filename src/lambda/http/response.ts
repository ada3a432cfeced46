import { IdempotencyResultError } from "../../core/errors.ts";
import type { HttpRequest } from "./event.ts";
import { checkSendable, type Headers, type HttpResponse } from "./sendable.ts";

/**
 * What a handler's result is as a response: one without `statusCode` is a 200 whose body it is, as API Gateway has it
 * for payload 2.0.
 */
function responseOf(result: unknown): HttpResponse {
  if (isResponse(result)) return result;
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: typeof result === "string" ? result : jsonOf(result ?? null),
  };
}

function isResponse(result: unknown): result is HttpResponse {
  return (result as { statusCode?: unknown } | null | undefined)?.statusCode !== undefined;
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

/** Ours alone: a handler's own would say of a first answer that it is a replay. */
export const REPLAYED = "Idempotent-Replayed";

/**
 * What of a response is stored: status, body, and the headers whose names (in lower case) are in `allowed`.
 *
 * @throws IdempotencyResultError for headers that may not be sent, whether they would be stored or not
 */
export function storedResponse(result: unknown, allowed: ReadonlySet<string>): HttpResponse {
  const response = responseOf(result);
  checkSendable(response);
  const { statusCode, body, isBase64Encoded, statusDescription } = response;
  return {
    statusCode,
    ...keepHeaders(response, (name) => allowed.has(name)),
    ...(body !== undefined && { body }),
    ...(isBase64Encoded !== undefined && { isBase64Encoded }),
    ...(statusDescription !== undefined && { statusDescription }),
  };
}

/**
 * The handler's result, as the caller of an execution gets it: itself, but for a header that is ours.
 *
 * @throws IdempotencyResultError for headers that may not be sent
 */
export function firstAnswer(result: unknown): unknown {
  if (!isResponse(result)) return result;
  checkSendable(result);
  const { headers, multiValueHeaders } = result;
  const isOurs = (name: string): boolean => name.toLowerCase() === REPLAYED.toLowerCase();
  if (!Object.keys({ ...headers, ...multiValueHeaders }).some(isOurs)) return result;
  return { ...result, ...keepHeaders(result, (name) => !isOurs(name)) };
}

/** The response with more headers, where the sender of this request reads them, and none of these names but ours. */
export function withHeaders(
  result: unknown,
  more: Readonly<Record<string, string>>,
  request: HttpRequest,
): HttpResponse {
  const response = responseOf(result);
  const names = new Set(Object.keys(more).map((name) => name.toLowerCase()));
  const kept = keepHeaders(response, (name) => !names.has(name));
  if (!request.listsOnly) return { ...response, ...kept, headers: { ...kept.headers, ...more } };
  const lists = Object.entries(more).map(([name, value]) => [name, [value]]);
  return { ...response, ...kept, multiValueHeaders: { ...kept.multiValueHeaders, ...Object.fromEntries(lists) } };
}

/** The headers, in both places, whose name in lower case passes. */
function keepHeaders(
  { headers, multiValueHeaders }: HttpResponse,
  passes: (name: string) => boolean,
): Pick<HttpResponse, "headers" | "multiValueHeaders"> {
  const kept = (given: Headers): Headers =>
    Object.fromEntries(Object.entries(given).filter(([name]) => passes(name.toLowerCase())));
  return {
    ...(headers && { headers: kept(headers) }),
    ...(multiValueHeaders && { multiValueHeaders: kept(multiValueHeaders) }),
  };
}
