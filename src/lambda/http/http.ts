import { unreadable } from "../../key/refusal.ts";
import type { Binding, Identity } from "../binding.ts";
import { comparableBody } from "./body.ts";
import { type HttpEvent, type HttpRequest, headerOf, queryOf, readRequest } from "./event.ts";
import { readKey } from "./key.ts";
import { type HttpOptions, readHttpOptions } from "./options.ts";
import { type ProblemRules, problemResponse } from "./problem.ts";
import { isFinal, storedResponse, withHeaders } from "./response.ts";
import { compileRead, type Read } from "./select.ts";

/** The binding that `http()` makes. Its answers are responses of the event's own kind, whatever the handler's type says. */
export type HttpBinding<Event extends HttpEvent = HttpEvent> = Binding<
  readonly [event: Event, context?: unknown],
  // biome-ignore lint/suspicious/noExplicitAny: a binding fits handlers of every type of response
  any
>;

/**
 * Binds an operation to HTTP: API Gateway (payload 1.0 and 2.0), function URLs, load balancers.
 *
 * The key is the header `Idempotency-Key`; `POST` and `PATCH` are claimed, other methods run untouched. Requests are
 * compared by method, path, query, `If-Match` and body. A repetition gets status, body and allowed headers of the first
 * answer and `Idempotent-Replayed: true`; a refusal is a problem details response (RFC 9457), not an error. 2xx, 3xx, 400,
 * 405, 410, 413, 415 and 422 are remembered, everything else is given to its caller and released. What the handler
 * throws passes through as it is, and is never remembered.
 *
 * @throws IdempotencyConfigError at once for options that are wrong, at the call for an event that is not HTTP
 *
 * @example
 * export const handler = idempotent(
 *   async (event: HttpEvent) => ({ statusCode: 201, body: JSON.stringify(await createOrder(JSON.parse(String(event.body)))) }),
 *   { store: dynamoDBStore(), operation: "place-order", binding: http({ principal: jwtPrincipal() }) },
 * );
 */
export function http<Event extends HttpEvent = HttpEvent>(options: HttpOptions<Event>): HttpBinding<Event> {
  const settings = readHttpOptions(options as HttpOptions<never>);
  const { header, strict, minLength, statusHeader, authorize } = settings;
  const lower = header.toLowerCase();
  const headerKey: Read = (request) => readKey(request.headers.get(lower), { header, strict, minLength });
  const key = settings.key === undefined ? headerKey : compileRead(settings.key, "key", { [lower]: headerKey });
  const principal = settings.principal === false ? undefined : compileRead(settings.principal, "principal");
  const rules: ProblemRules = {
    base: settings.problems,
    challenge: settings.challenge,
    retryAfter: settings.retryAfter,
    keyHint:
      settings.key === undefined
        ? `This request has to carry the header ${header}, with a value that is new for each operation and the same when it is sent again.`
        : "What makes two of these requests the same is missing.",
  };
  const status = (word: string): Readonly<Record<string, string>> =>
    statusHeader ? { "Idempotency-Status": word } : {};

  return {
    name: "http",
    identify(event) {
      const request = readRequest(event);
      if (!settings.methods.has(request.method)) return { held: false };
      return identityOf(request, { key, principal, how: settings.fingerprint });
    },
    ...(authorize && {
      // A preflight carries no credentials.
      authorize: (event) => readRequest(event).method === "OPTIONS" || authorize(event as never),
    }),
    store: (result) => storedResponse(result, settings.responseHeaders),
    ...(statusHeader && {
      executed: (result, event) => withHeaders(result, status("executed"), readRequest(event)),
    }),
    replay: (result, event) =>
      withHeaders(result, { "Idempotent-Replayed": "true", ...status("replayed") }, readRequest(event)),
    refuse(error, event) {
      const request = readRequest(event);
      return withHeaders(problemResponse(error, request, rules), status(error.code), request);
    },
    remember: (outcome) => (outcome.status === "returned" && isFinal(outcome.result) ? "keep" : "release"),
  };
}

interface Reads {
  readonly key: Read;
  readonly principal: Read | undefined;
  readonly how: "canonical" | "raw";
}

/** Each part is read when the operation asks for it: an option in its place leaves it alone. */
function identityOf(request: HttpRequest, { key, principal, how }: Reads): Identity {
  const identity: Identity = {
    get key() {
      return key(request);
    },
    get fingerprint() {
      const ifMatch = headerOf(request, "if-match") ?? null;
      return [request.method, request.path, queryOf(request), ifMatch, comparableBody(request, how)];
    },
    get firstSentAt() {
      return firstSentAt(request);
    },
    retried: isRetry(request),
  };
  return principal === undefined
    ? identity
    : Object.defineProperty(identity, "principal", { enumerable: true, get: () => principal(request) });
}

const imfFixdate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** OASIS Repeatable Requests: when the client sent the operation for the first time. */
function firstSentAt(request: HttpRequest): number | undefined {
  const sent = headerOf(request, "repeatability-first-sent");
  if (sent === undefined) return undefined;
  const at = imfFixdate.test(sent) ? Date.parse(sent) : Number.NaN;
  if (Number.isNaN(at)) {
    throw unreadable("key", "the header Repeatability-First-Sent is no date, as in 'Sun, 06 Nov 1994 08:49:37 GMT'");
  }
  return at;
}

/** What clients say when they send a request again: the AWS SDKs, and `lambda-once/client`. */
function isRetry(request: HttpRequest): boolean {
  const attempt = /(?:^|[;\s])attempt=(\d+)/.exec(headerOf(request, "amz-sdk-request") ?? "")?.[1];
  return Number(attempt ?? 1) > 1 || request.headers.has("idempotency-retry");
}
