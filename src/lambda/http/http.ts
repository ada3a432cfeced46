import { type IdempotencyError, isIdempotencyError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/plain.ts";
import { IdempotencyPreconditionRequiredError } from "../../core/refusals.ts";
import type { Binding, Identity, Redeem } from "../binding.ts";
import { bodyType, comparableBody } from "./body.ts";
import { type HttpEvent, type HttpRequest, headerOf, readRequest } from "./event.ts";
import { firstSentAt } from "./first-sent.ts";
import { readKey } from "./key.ts";
import { type HttpOptions, readHttpOptions, SAFE } from "./options.ts";
import { type ProblemRules, problemResponse } from "./problem.ts";
import { comparableQuery } from "./query.ts";
import { repeatability, repeatabilityOf } from "./repeatability.ts";
import { firstAnswer, isFinal, REPLAYED, storedResponse, withHeaders } from "./response.ts";
import { compileRead, type Read } from "./select.ts";
import { checkSendable } from "./sendable.ts";

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
 * compared by method, path, query, `If-Match`, type of the body and body. A repetition gets status, body and allowed headers of the first
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
    unreadable: settings.key === undefined ? unreadableHint(header, strict, minLength) : UNREADABLE,
    keyHint:
      settings.redeem !== undefined
        ? `This request has to carry a one-time token in the header ${header}: one that was issued to this caller for this operation.`
        : settings.key === undefined
          ? `This request has to carry the header ${header}, with a value that is new for each operation and the same when it is sent again.`
          : "What makes two of these requests the same is missing.",
  };
  const status = (word: string): Readonly<Record<string, string>> =>
    statusHeader ? { "Idempotency-Status": word } : {};

  /** The requests as they came, by their events: a handler may take its event apart. */
  const requests = new WeakMap<object, HttpRequest>();
  const requestOf = (event: Event): HttpRequest => requests.get(event) ?? readRequest(event);

  function refuse(error: IdempotencyError, event: Event): unknown {
    const request = requestOf(event);
    const more = { ...status(error.code), ...repeatability(request, repeatabilityOf(error)) };
    return withHeaders(problemResponse(error, request, rules), more, request);
  }

  return {
    name: "http",
    // API Gateway gives up after 29 seconds.
    answerWithin: { seconds: 25 },
    ...(settings.redeem && { redeems: true }),
    ...(settings.verifyingKey?.expiresAfter && { expiresAfter: settings.verifyingKey.expiresAfter }),
    identify(event) {
      const request = readRequest(event);
      requests.set(event, request);
      if (settings.needsIfMatch && !SAFE.includes(request.method) && !request.headers.has("if-match")) {
        throw new IdempotencyPreconditionRequiredError();
      }
      if (settings.verifyingKey !== undefined) {
        // Now, and for every method: an option in the key's place, or a GET, must not be the way around it.
        const verified = key(request);
        return identityOf(request, { key: () => verified, principal, how: settings.fingerprint, redeem: undefined });
      }
      if (!settings.methods.has(request.method)) return { held: false };
      return identityOf(request, { key, principal, how: settings.fingerprint, redeem: settings.redeem });
    },
    ...(authorize && {
      authorize: (event) => isPreflight(requestOf(event)) || authorize(event as never),
    }),
    store: (result) => storedResponse(result, settings.responseHeaders),
    executed(result, event) {
      const answer = firstAnswer(result);
      const request = requestOf(event);
      const more = { ...status("executed"), ...repeatability(request, "accepted") };
      return Object.keys(more).length === 0 ? answer : withHeaders(answer, more, request);
    },
    unheld: (result) => firstAnswer(result),
    replay(result, event) {
      try {
        checkSendable(Object(result));
      } catch (error) {
        if (isIdempotencyError(error)) return refuse(error, event);
        throw error;
      }
      const request = requestOf(event);
      const more = { [REPLAYED]: "true", ...status("replayed"), ...repeatability(request, "accepted") };
      return withHeaders(result, more, request);
    },
    refuse,
    remember: (outcome) => (outcome.status === "returned" && isFinal(outcome.result) ? "keep" : "release"),
  };
}

const UNREADABLE = "What makes this request the same as another one cannot be read.";

function unreadableHint(header: string, strict: boolean, minLength: number): string {
  const key = strict ? "as a quoted string" : "bare or as a quoted string";
  return `${UNREADABLE} The header ${header} has to be given once, ${key} of ${minLength} to 255 visible ASCII characters; JSON in the body has to be free of half characters, of numbers that were rounded, and of more than 512 levels; Repeatability-First-Sent has to be a date.`;
}

interface Reads {
  readonly key: Read;
  readonly principal: Read | undefined;
  readonly how: "canonical" | "raw";
  readonly redeem: Redeem | undefined;
}

/** Each part is read when the operation asks for it: an option in its place leaves it alone. */
function identityOf(request: HttpRequest, { key, principal, how, redeem }: Reads): Identity {
  const identity: Identity = {
    get key() {
      return key(request);
    },
    get fingerprint() {
      const ifMatch = headerOf(request, "if-match") ?? null;
      const { method, path, event } = request;
      return [method, path, comparableQuery(event), ifMatch, bodyType(request), comparableBody(request, how)];
    },
    get firstSentAt() {
      return firstSentAt(request);
    },
    retried: isRetry(request),
    redeem,
  };
  return principal === undefined
    ? identity
    : Object.defineProperty(identity, "principal", { enumerable: true, get: () => somebody(principal(request)) });
}

/** A list or an object without anything in it names nobody, nor does one with such a part. */
function somebody(principal: unknown): unknown {
  const isEmpty = (value: unknown): boolean =>
    (Array.isArray(value) || isPlainObject(value)) && Object.keys(value).length === 0;
  const parts = Array.isArray(principal) || isPlainObject(principal) ? Object.values(principal) : [];
  return isEmpty(principal) || parts.some(isEmpty) ? undefined : principal;
}

/** CORS, as a browser asks for it: it carries no credentials, and nothing that a handler could carry out. */
function isPreflight({ method, headers, event }: HttpRequest): boolean {
  return (
    method === "OPTIONS" &&
    headers.has("origin") &&
    headers.has("access-control-request-method") &&
    [event.body, event.rawBody].every((body) => body === undefined || body === null || body === "")
  );
}

/** What clients say when they send a request again: the AWS SDKs, and `lambda-once/client`. */
function isRetry(request: HttpRequest): boolean {
  const attempt = /(?:^|[;\s])attempt=(\d+)/.exec(headerOf(request, "amz-sdk-request") ?? "")?.[1];
  return Number(attempt ?? 1) > 1 || request.headers.has("idempotency-retry");
}
