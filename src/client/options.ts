/** A length of time: the sum of its parts. A bare number is milliseconds. */
export type Duration =
  | number
  | {
      readonly days?: number;
      readonly hours?: number;
      readonly minutes?: number;
      readonly seconds?: number;
    };

/** What of `fetch` is used: `globalThis.fetch` is one, and so is what `idempotentFetch()` returns. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** One repetition, told before the wait. */
export interface Retry {
  /** How often the request has been sent so far: 1, 2, ... */
  readonly attempts: number;
  /** Milliseconds until it is sent again. */
  readonly wait: number;
  /** The answer's status, or `undefined` where no answer came. */
  readonly status: number | undefined;
  /** The fault, where no answer came. */
  readonly error: unknown;
  readonly idempotencyKey: string | undefined;
}

/** What `idempotentFetch` can be told. Checked at construction; an unknown name or a bad value is a `TypeError`. */
export interface IdempotentFetchOptions {
  /**
   * The key of an operation: the caller's business key (an order number), 1 to 255 visible ASCII characters. A key that
   * the call itself has in its headers goes first. A function is asked at the call, a `URL` is given to it as text, and the
   * time that it takes counts towards the deadline. Default: a random UUID (version 4) for each call.
   */
  readonly key?: string | ((input: string | Request, init?: RequestInit) => string | Promise<string>);
  /** The name of the header that carries the key. Default: `Idempotency-Key`. */
  readonly header?: string;
  /**
   * The name of a header that counts repetitions (1, 2, ...), by which the server may know to look for a stored answer
   * first; `false` for none. Default: `Idempotency-Retry` outside of browsers, none in them: CORS would have to allow it.
   */
  readonly retryHeader?: string | false;
  /** From the call to its answer, all attempts and waits included. At most 11 days. Default: one minute. */
  readonly deadline?: Duration;
  /** How long one attempt may take before it counts as lost. At most 11 days. Default: 30 seconds. */
  readonly timeout?: Duration;
  /** How often the request is sent at most. Default: 10. */
  readonly attempts?: number;
  /**
   * The wait before repetition n is random between nothing and `backoff * 2 ** (n - 1)`, `maxBackoff` at most ("full
   * jitter"), and comes after what `Retry-After` asks for. Default: 250 ms.
   */
  readonly backoff?: Duration;
  /** What the random wait grows to at most. Default: 8 seconds. */
  readonly maxBackoff?: Duration;
  /**
   * `'stream'`: the answer is given when its head is there, and a body that breaks off is the caller's to see. `'whole'`:
   * when all of its body has been read into memory, and one that breaks off is asked for again. Default: `'stream'`.
   */
  readonly body?: "stream" | "whole";
  /** What sends. Default: the global `fetch`, looked up at each attempt. */
  readonly fetch?: Fetch;
  /** Told of each repetition; never awaited, its errors are swallowed. */
  readonly onRetry?: (retry: Retry) => void;
  /** From 0 to below 1, for the jitter. Default: `Math.random`. */
  readonly random?: () => number;
  /**
   * Resolves after so many milliseconds, and may stop early where the signal is aborted. One that fails, or does not end
   * by the deadline, ends the call with `IdempotentFetchError`. Default: `setTimeout`.
   */
  readonly sleep?: (millis: number, signal: AbortSignal) => Promise<unknown>;
  /** Milliseconds since the epoch that never go back. Default: `performance.timeOrigin + performance.now()`. */
  readonly now?: () => number;
}

/** Validated options, as the loop uses them: lengths of time in milliseconds. */
export interface Settings extends Omit<Required<IdempotentFetchOptions>, "fetch" | "onRetry" | "sleep"> {
  readonly deadline: number;
  readonly timeout: number;
  readonly backoff: number;
  readonly maxBackoff: number;
  readonly fetch: Fetch | undefined;
  readonly onRetry: ((retry: Retry) => void) | undefined;
  readonly sleep: ((millis: number, signal: AbortSignal) => Promise<unknown>) | undefined;
}

/** The default of an option; and what is allowed, in words and as a pattern over `typeof value` and the value, as in `string GET`. */
type Rule = readonly [fallback: unknown, allowed: string, pattern: RegExp];

const callback = (fallback?: unknown): Rule => [fallback, "a function", /^function/];

/** No longer than a timer can take: one above 24.8 days would fire at once. */
const time = (fallback: number): Rule => [
  fallback,
  "ms or { days, hours, minutes, seconds }, above 0, up to 11 days",
  /^number (?=.*[1-9])\d{1,9}(\.\d+)?$/,
];

const RULES: Readonly<Record<string, Rule>> = {
  key: [
    () => crypto.randomUUID(),
    "1 to 255 visible ASCII characters, or a function",
    /^function|^string [!-~]{1,255}$/,
  ],
  header: ["Idempotency-Key", "a header's name", /^string [\w-]+$/],
  // CORS has no say outside of browsers.
  retryHeader: [
    !("location" in globalThis) && "Idempotency-Retry",
    "a header's name or false",
    /^string [\w-]+$|false$/,
  ],
  deadline: time(60_000),
  timeout: time(30_000),
  attempts: [10, "a whole number above 0", /^number [1-9]\d*$/],
  backoff: time(250),
  maxBackoff: time(8_000),
  body: ["stream", "'stream' or 'whole'", /^string (stream|whole)$/],
  fetch: callback(),
  onRetry: callback(),
  random: callback(Math.random),
  sleep: callback(),
  now: callback(() => performance.timeOrigin + performance.now()),
};

/**
 * Checks what a user gave, before anything is sent.
 *
 * @throws TypeError that says what was given and what is allowed
 */
export function readOptions(given: IdempotentFetchOptions): Settings {
  const settings: Record<string, unknown> = {};
  for (const name in RULES) settings[name] = RULES[name]?.[0];
  for (const [name, value] of Object.entries(given)) if (value !== undefined) settings[name] = settle(name, value);
  return settings as unknown as Settings;
}

/**
 * The value of an option, durations in milliseconds.
 *
 * @throws TypeError
 */
function settle(name: string, given: unknown): unknown {
  const [, allowed, pattern] = RULES[name] ?? refuse("an option", name, Object.keys(RULES).join(", "));
  const { days = 0, hours = 0, minutes = 0, seconds = 0 } = Object(given);
  const value = typeof given === "object" ? (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 : given;
  return pattern.test(`${typeof value} ${value}`) ? value : refuse(name, given, allowed);
}

/** Of a key, which may be confidential, and of all that is no plain value, only the type is shown. */
export function refuse(name: string, given: unknown, allowed: string): never {
  const shown = name === "key" || Object(given) === given ? typeof given : given;
  throw new TypeError(`idempotentFetch: ${name} is ${shown}; allowed is ${allowed}`);
}
