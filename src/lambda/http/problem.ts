import type { IdempotencyError } from "../../core/errors.ts";
import type { HttpRequest } from "./event.ts";
import { withHeaders } from "./response.ts";
import type { HttpResponse } from "./sendable.ts";

type Code = IdempotencyError["code"];

/** How a refusal is shown. */
export interface ProblemRules {
  /** Where the pages of the problem types are; the code of the error is appended. */
  readonly base: string;
  /** `WWW-Authenticate` of a 401. */
  readonly challenge: string;
  /** The longest `Retry-After` of a request that came while the first one ran, in seconds. */
  readonly retryAfter: number;
  /** What the caller is told to send, where the key is missing. */
  readonly keyHint: string;
  /** What the caller is told where the key, or what it is compared with, cannot be read. */
  readonly unreadable: string;
}

/** RFC 9457: short, and the same for every occurrence. */
const TITLES: Readonly<Record<Code, string>> = {
  in_progress: "A request with the same idempotency key is still running",
  duplicate: "The operation has already been answered",
  key_reused: "The idempotency key was used for a different request",
  key_missing: "The idempotency key is missing or cannot be read",
  principal_missing: "The caller is not known",
  forbidden: "The caller may not do this",
  request_too_old: "The request is too old to be repeated",
  precondition_required: "The version that the change is based on is missing",
  token_invalid: "The one-time token is not valid",
  signature_invalid: "The signature of the request is missing or not valid",
  claim_lost: "Another request has taken the operation over",
  abandoned: "An earlier request ended without a known outcome",
  store_failed: "The service is not available at the moment",
  no_time_left: "The service is not available at the moment",
  write_conflict: "The operation met a conflicting change",
  step_interrupted: "An earlier request ended in the middle of the operation",
  result_unstorable: "The answer of the operation cannot be repeated",
  record_corrupt: "The outcome of an earlier request cannot be read",
  outcome_unknown: "The outcome of the operation is not known",
  reentrant: "The service failed",
  config: "The service failed",
};

/** Status texts, for load balancers. */
const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  409: "Conflict",
  412: "Precondition Failed",
  422: "Unprocessable Content",
  428: "Precondition Required",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The answer to a refused request: problem details (RFC 9457) with a link to the page of their type. */
export function problemResponse(error: IdempotencyError, request: HttpRequest, rules: ProblemRules): HttpResponse {
  const { code } = error;
  // A write that was made for another version than the one that stands there: what `If-Match` is for.
  const status = isStale(error) ? 412 : error.statusCode;
  const type = rules.base + code;
  const title = TITLES[code] ?? TITLES.config;
  const retryAfter = retryAfterOf(error, rules);
  const response: HttpResponse = {
    statusCode: status,
    ...(request.balanced && { statusDescription: `${status} ${STATUS_TEXTS[status] ?? "Error"}` }),
    body: JSON.stringify({ type, title, status, detail: detailOf(error, rules, retryAfter), code }),
    isBase64Encoded: false,
  };
  const headers = {
    "Content-Type": "application/problem+json",
    Link: `<${type}>; rel="describedby"; type="text/html"`,
    ...(retryAfter !== undefined && { "Retry-After": retryAfter }),
    ...(status === 401 && { "WWW-Authenticate": rules.challenge }),
  };
  return withHeaders(response, headers, request);
}

/** What happened this time. Nothing of the inside (tables, permissions, the handler's values) is shown. */
function detailOf(error: IdempotencyError, rules: ProblemRules, retryAfter: string | undefined): string {
  const again = retryAfter === undefined ? "" : ` Try again in ${retryAfter} s with the same idempotency key.`;
  if (error.code === "store_failed" && error.outcome === "unknown") {
    return `Nobody knows yet whether the request was processed.${again}`;
  }
  if (error.code === "store_failed" || error.code === "no_time_left") return `The request was not processed.${again}`;
  if (error.code === "outcome_unknown") {
    return "Nobody knows yet what became of the request. Send it again later with the same idempotency key.";
  }
  if (error.code === "result_unstorable") {
    return error.carriedOut
      ? "The operation ran, but its answer cannot be sent."
      : "The operation's answer cannot be sent, and nothing of it was committed.";
  }
  if (error.code === "write_conflict")
    return "A condition of the operation's writes did not hold; nothing was committed.";
  if (error.statusCode >= 500) return "The request failed, and will fail again if it is sent again.";
  if (error.code === "in_progress") return `The first request with this idempotency key has not ended yet.${again}`;
  // The error's own message names selectors, and places in the body.
  if (error.code === "key_missing") return error.reason === "missing" ? rules.keyHint : rules.unreadable;
  if (error.code === "principal_missing") return "Idempotency keys belong to a caller, and this request names none.";
  return `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
}

const isStale = (error: IdempotencyError): boolean =>
  error.code === "write_conflict" && (error.outcome as { outcome?: unknown } | undefined)?.outcome === "stale";

/** Whole seconds: when the first one's lock ends, but no later than the option says; most requests end long before. */
function retryAfterOf(error: IdempotencyError, rules: ProblemRules): string | undefined {
  if (error.code !== "in_progress") return error.headers["Retry-After"];
  const lockEndsIn = error.lockEndsIn === undefined ? rules.retryAfter : Math.ceil(error.lockEndsIn / 1000);
  return String(Math.max(1, Math.min(lockEndsIn, rules.retryAfter)));
}
