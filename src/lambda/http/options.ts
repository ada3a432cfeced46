import { refuseValue } from "../../core/check.ts";
import { type Duration, toMillis } from "../../core/duration.ts";
import { IdempotencyConfigError } from "../../core/errors.ts";
import type { Redeem } from "../binding.ts";
import type { HttpEvent } from "./event.ts";

/** Options of `http()`. The rest (`remember`, `expiresAfter`, `whenCompleted`, ...) are the operation's. */
export interface HttpOptions<Event extends HttpEvent = HttpEvent> {
  /**
   * Whose key it is; equal keys of different principals never meet. A JMESPath expression over the event, a function,
   * or one of `jwtPrincipal()`, `authorizerPrincipal()`, `apiKeyPrincipal()`, `iamPrincipal()`. A request without one is
   * answered 401. `false`: all callers share keys, and everyone who knows a key gets its answer.
   */
  readonly principal: string | ((event: Event) => unknown) | false;
  /** The header of the key, in any letter case. Default: `Idempotency-Key`. */
  readonly header?: string;
  /**
   * The key, where it is more than the header: a JMESPath expression over the event, as in `[headers."idempotency-key",
   * json(body).orderId]`, a function, a one-time token in the header (`token()` of `lambda-once/guards`), or `signature()` of `lambda-once/webhooks`. The last verifies every request, and all
   * methods are claimed.
   */
  readonly key?: string | ((event: Event) => unknown) | OneTimeToken;
  /** The key has to be a quoted string, as the IETF draft has it. Default: `false`, a bare key is the same key. */
  readonly strict?: boolean;
  /** The fewest characters of a key. Default: 1. */
  readonly minLength?: number;
  /** The methods whose requests are claimed. Default: `POST` and `PATCH`. */
  readonly methods?: readonly string[];
  /** How bodies are compared: by their JSON value where they are JSON, or always byte by byte. Default: `'canonical'`. */
  readonly fingerprint?: "canonical" | "raw";
  /**
   * Asked before every execution and before every replay (of everything but a CORS preflight): whether the caller may do
   * this *now*. Everything but `true` is answered 403. What it throws passes through.
   */
  readonly authorize?: (event: Event) => boolean | Promise<boolean>;
  /** Headers of the response that are stored, besides `content-type`, `content-encoding`, `location` and `etag`. */
  readonly responseHeaders?: readonly string[];
  /**
   * `'required'`: a request of a method that changes something without `If-Match` is answered 428, claimed or not. (A write of
   * `lambda-once/writes` that meets another version is answered 412.) Default: not required.
   */
  readonly ifMatch?: "required";
  /** Adds `Idempotency-Status: executed | replayed | <code of the refusal>` to answers. Default: `false`. */
  readonly statusHeader?: boolean;
  /** The longest `Retry-After` of a request that comes while the first one runs, in whole seconds. Default: 2 seconds. */
  readonly retryAfter?: Duration;
  /** `WWW-Authenticate` of a 401. Default: `Bearer`; `Signature` with `signature()` as the key. */
  readonly challenge?: string;
  /** Where the pages of the problem types are; the code of the error is appended. Default: `https://lambda-once.dev/problems/`. */
  readonly problems?: string;
}

/** A `key` that was issued before, as `token()` of `lambda-once/guards` redeems it. */
interface OneTimeToken {
  readonly redeem: Redeem;
}

/** A `key` that proves where a request comes from before it says which one it is, as `signature()` does. */
interface VerifyingKey {
  (event: never): unknown;
  readonly verifies: true;
  readonly expiresAfter?: Duration;
}

/** Checked options. */
export interface HttpSettings {
  readonly principal: string | ((event: never) => unknown) | false;
  readonly header: string;
  readonly key: string | ((event: never) => unknown) | undefined;
  /** The key, where it is one that has to be asked for every request. */
  readonly verifyingKey: VerifyingKey | undefined;
  /** Where the header's value is a one-time token. */
  readonly redeem: Redeem | undefined;
  readonly strict: boolean;
  readonly minLength: number;
  readonly methods: ReadonlySet<string>;
  readonly fingerprint: "canonical" | "raw";
  readonly authorize: ((event: never) => boolean | Promise<boolean>) | undefined;
  /** Lower case. */
  readonly responseHeaders: ReadonlySet<string>;
  readonly needsIfMatch: boolean;
  readonly statusHeader: boolean;
  /** Whole seconds. */
  readonly retryAfter: number;
  readonly challenge: string;
  readonly problems: string;
}

const KNOWN = [
  ...["principal", "header", "key", "strict", "minLength", "methods", "fingerprint", "authorize", "responseHeaders"],
  ...["ifMatch", "statusHeader", "retryAfter", "challenge", "problems"],
];

/** RFC 9110: these change nothing, so that there is nothing to be repeated. */
export const SAFE: readonly string[] = ["GET", "HEAD", "OPTIONS", "TRACE"];

/** They are somebody's, of one moment or of one connection, or ours: never stored. */
const NEVER: ReadonlySet<string> = new Set([
  ...["set-cookie", "set-cookie2", "authorization", "authentication-info", "www-authenticate", "date", "connection"],
  ...["idempotent-replayed", "idempotency-status", "repeatability-result"],
  ...["keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"],
]);

/**
 * Checks what a user gave to `http()`.
 *
 * @throws IdempotencyConfigError that says what was given and what is allowed
 */
export function readHttpOptions(given: HttpOptions<never>): HttpSettings {
  if (typeof given !== "object" || given === null)
    refuseValue("the options of http()", given, "is an object with a principal");
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) {
      throw new IdempotencyConfigError(
        `http() has no option '${name.slice(0, 60)}'; allowed are ${[...KNOWN].sort().join(", ")}`,
      );
    }
  }
  const { principal, authorize, fingerprint = "canonical", minLength = 1 } = given;
  const redeem = isToken(given.key) ? given.key.redeem : undefined;
  const key = isToken(given.key) ? undefined : given.key;
  const verifyingKey = isVerifying(key) ? key : undefined;
  const { challenge = verifyingKey === undefined ? "Bearer" : "Signature" } = given;
  const isSelector = (value: unknown): boolean => typeof value === "string" || typeof value === "function";
  if (principal !== false && !isSelector(principal)) {
    refuseValue("principal", principal, "is a JMESPath expression, a function, or false where callers share keys");
  }
  if (key !== undefined && !isSelector(key))
    refuseValue("key", key, "is a JMESPath expression, a function, signature() or token()");
  if (verifyingKey !== undefined && given.methods !== undefined) {
    refuseValue(
      "methods",
      given.methods,
      "is nothing beside a signature as the key: requests of all methods are verified and claimed",
    );
  }
  if (authorize !== undefined && typeof authorize !== "function") refuseValue("authorize", authorize, "is a function");
  if (fingerprint !== "canonical" && fingerprint !== "raw")
    refuseValue("fingerprint", fingerprint, "is 'canonical' or 'raw'");
  if (!Number.isInteger(minLength) || minLength < 1 || minLength > 255) {
    refuseValue("minLength", minLength, "is a whole number from 1 to 255");
  }
  if (typeof challenge !== "string" || !/^[\x20-\x7e]+$/.test(challenge)) {
    refuseValue("challenge", challenge, "is visible ASCII characters and spaces");
  }
  const retryAfter = toMillis(given.retryAfter === undefined ? { seconds: 2 } : given.retryAfter, "retryAfter");
  return {
    principal: principal as HttpSettings["principal"],
    header: headerName(given.header ?? "Idempotency-Key", "header"),
    key: key as HttpSettings["key"],
    verifyingKey,
    redeem,
    strict: flag(given.strict, "strict"),
    minLength,
    methods: new Set(list(given.methods ?? ["POST", "PATCH"], "methods").map(method)),
    fingerprint,
    authorize: authorize as HttpSettings["authorize"],
    responseHeaders: new Set([
      ...["content-type", "content-encoding", "location", "etag"],
      ...list(given.responseHeaders ?? [], "responseHeaders").map(responseHeader),
    ]),
    needsIfMatch:
      given.ifMatch === undefined
        ? false
        : given.ifMatch === "required" || refuseValue("ifMatch", given.ifMatch, "is 'required'"),
    statusHeader: flag(given.statusHeader, "statusHeader"),
    retryAfter: Math.ceil(retryAfter / 1000),
    challenge,
    problems: problemsBase(given.problems ?? "https://lambda-once.dev/problems/"),
  };
}

function isToken(key: unknown): key is OneTimeToken {
  return typeof key === "object" && typeof (key as Partial<OneTimeToken> | null)?.redeem === "function";
}

function isVerifying(key: unknown): key is VerifyingKey {
  return typeof key === "function" && (key as Partial<VerifyingKey>).verifies === true;
}

function method(given: unknown): string {
  const name = typeof given === "string" ? given.toUpperCase() : "";
  if (!/^[A-Z]+$/.test(name) || SAFE.includes(name)) {
    refuseValue("methods", given, `is methods that change something, such as 'POST'; ${SAFE.join(", ")} never claim`);
  }
  return name;
}

function headerName(given: unknown, option: string): string {
  if (typeof given !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(given))
    refuseValue(option, given, "is the name of a header");
  return given as string;
}

function responseHeader(given: unknown): string {
  const name = headerName(given, "responseHeaders").toLowerCase();
  if (NEVER.has(name)) refuseValue("responseHeaders", given, `is a header other than ${[...NEVER].join(", ")}`);
  return name;
}

function problemsBase(given: unknown): string {
  if (typeof given !== "string" || !/^[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]*[/#:=]$/.test(given)) {
    // `idempotentFetch()` reads the code from there on.
    refuseValue(
      "problems",
      given,
      "is the beginning of a URL up to '/', '#', '=' or ':', such as 'https://docs.example.com/problems/'",
    );
  }
  return given as string;
}

function list(given: unknown, option: string): readonly unknown[] {
  return Array.isArray(given) ? given : refuseValue(option, given, "is a list of names");
}

function flag(given: unknown, option: string): boolean {
  return given === undefined || typeof given === "boolean"
    ? given === true
    : refuseValue(option, given, "is true or false");
}
