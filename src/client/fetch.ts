import { isReplay, isTransient, retryAfter } from "./answer.ts";
import { IdempotentFetchError } from "./failure.ts";
import { type IdempotentFetchOptions, readOptions } from "./options.ts";
import { prepare } from "./request.ts";

/** A `Response` as of any `fetch`, and how it came about. */
export interface IdempotentResponse extends Response {
  /** The server answered from its record: the operation was carried out by an earlier request with the same key. */
  readonly replayed: boolean;
  /** How often the request was sent. */
  readonly attempts: number;
  /** The key that all attempts had; `undefined` for GET, HEAD and OPTIONS. */
  readonly idempotencyKey: string | undefined;
}

/** A `fetch`, to be used wherever one is taken. */
export type IdempotentFetch = (input: string | URL | Request, init?: RequestInit) => Promise<IdempotentResponse>;

/**
 * A `fetch` that makes each call one operation: it has one key over all its attempts, so that a server which keeps keys
 * carries it out once, and it is sent again until there is a final answer, or the deadline or the attempts are used up.
 *
 * Sent again: after network faults and timeouts of an attempt, 408, 425, 429, 5xx but 501 and 505, and a 409 that says
 * that the first request still runs; not before the time that `Retry-After` asks for. Never: a replay, 422, any other
 * status, and nothing once the caller's signal is aborted.
 *
 * The last answer is given when no more is tried, whatever its status. GET, HEAD and OPTIONS get no key, for they change
 * nothing. The call rejects with `IdempotentFetchError` where no answer came, with the signal's reason where the caller
 * aborted, and with another `TypeError` before anything is sent where the body is a stream, the key none, or one of the
 * two not there by the deadline. The call is what it was when it was made: later changes of its URL, init, headers or body
 * reach no attempt.
 *
 * @throws TypeError for a bad option: what was given, and what is allowed
 *
 * @example
 * const post = idempotentFetch({ deadline: { seconds: 20 } });
 * const response = await post("https://api.example.com/orders", { method: "POST", body: JSON.stringify(order) });
 * console.log(response.status, response.replayed, response.attempts, await response.json());
 *
 * @example
 * // A business key: the same order is the same operation after a reload of the page, too.
 * const post = idempotentFetch();
 * const headers = { "Idempotency-Key": `order-${order.id}`, "Content-Type": "application/json" };
 * await post("https://api.example.com/orders", { method: "POST", headers, body: JSON.stringify(order) });
 */
export function idempotentFetch(options: IdempotentFetchOptions = {}): IdempotentFetch {
  const settings = readOptions(options);
  const { now, sleep, retryHeader } = settings;
  return async (input, given) => {
    const end = now() + settings.deadline;
    // A URL may change while attempts are made. Known by its `url`, a Request may be another realm's or package's.
    const target = (input as Partial<Request>).url ? (input as Request) : `${input}`;
    const signal = given?.signal ?? (input as Partial<Request>).signal ?? new AbortController().signal;
    const { init, headers, idempotencyKey } = await within(settings.deadline, signal, () =>
      prepare(target as Partial<Request>, given, settings),
    );
    for (let attempts = 1; ; attempts++) {
      let response: Response | undefined;
      let again = true;
      let error: unknown;
      try {
        [response, again] = await within(Math.min(settings.timeout, end - now()), signal, async (either) => {
          const answer = await (settings.fetch ?? fetch)(target, { ...init, headers, signal: either });
          if (settings.body === "whole") await answer.clone().arrayBuffer();
          return [answer, await isTransient(answer)] as const;
        });
      } catch (fault) {
        signal.throwIfAborted();
        if ((fault as Error | undefined)?.name !== "TypeError") throw fault;
        // Of a bad URL or method, `fetch` says the same as of a network fault; the constructor of Request knows.
        if (!settings.fetch) new Request(target, { ...init, headers, signal: null });
        error = fault;
      }
      const wait =
        (response ? retryAfter(response, now()) : 0) +
        settings.random() * Math.min(settings.maxBackoff, settings.backoff * 2 ** (attempts - 1));
      const facts = { attempts, idempotencyKey };
      const failed = (cause: unknown): IdempotentFetchError =>
        Object.assign(new IdempotentFetchError("no answer; ask again with the same key", { cause }), facts);
      // In its last two milliseconds the deadline counts as reached: a timer may fire that much too early.
      if (!again || attempts >= settings.attempts || now() + wait > end - 2) {
        if (response) return Object.assign(response, facts, { replayed: isReplay(response) });
        throw failed(error);
      }
      // An observer's error is not the caller's.
      (async () => settings.onRetry?.({ ...facts, wait, status: response?.status, error }))().catch(() => {});
      response?.body?.cancel().catch(() => {});
      // Without a sleep of the caller's, a wait is work that ends by its time alone.
      await within(sleep ? end - now() : wait, signal, () =>
        sleep ? sleep(wait, signal) : new Promise(() => {}),
      ).catch((fault) => {
        signal.throwIfAborted();
        if (sleep) throw failed(fault);
      });
      if (retryHeader) headers.set(retryHeader, `${attempts}`);
    }
  };
}

/**
 * What the work gives in so many milliseconds; or, as soon as the signal is aborted or the time is up, whether or not the
 * work heeds it, the signal's reason or a `TypeError` as of a network fault.
 */
function within<T>(millis: number, signal: AbortSignal, work: (either: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new TypeError("timeout")), millis);
  const either = AbortSignal.any([signal, late.signal]);
  return new Promise<T>((resolve, reject) => {
    either.throwIfAborted();
    either.onabort = () => reject(either.reason);
    work(either).then(resolve, reject);
  }).finally(() => {
    clearTimeout(timer);
    // Node keeps a signal that listens to others for as long as it has listeners.
    either.onabort = null;
  });
}
