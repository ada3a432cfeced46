import { refuse, type Settings, settle } from "./options.ts";

/** What is sent, the same at each attempt: later changes of the caller's objects do not reach it. */
export interface Prepared {
  readonly init: RequestInit;
  readonly headers: Headers;
  readonly idempotencyKey: string | undefined;
  /** The caller's, or one that is never aborted. */
  readonly signal: AbortSignal;
}

/**
 * Makes one request out of a call that can be sent again, and gives it its key.
 *
 * @throws TypeError where the body or the key does not allow that
 */
export async function prepare(
  input: string | URL | Request,
  given: RequestInit | undefined,
  settings: Settings,
): Promise<Prepared> {
  // A string and a URL have none of a Request's members.
  const from = input as Partial<Request>;
  const init = { ...given };
  const headers = new Headers(init.headers ?? from.headers);
  const signal = init.signal ?? from.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const safe = /^(GET|HEAD|OPTIONS)$/i.test(init.method ?? from.method ?? "GET");
  const { body } = init;
  if (body == null) init.body = (safe || from.body === null ? null : await from.arrayBuffer?.()) ?? null;
  else if (typeof body === "object") {
    // A stream is gone once it is sent; Node takes async iterables too.
    if ("getReader" in body || Symbol.asyncIterator in body) {
      refuse("body", "a stream", "text, bytes, Blob, FormData or a Request");
    }
    // The caller may change it, and form data would get a new boundary at each attempt: another body.
    const fixed = new Response(body);
    const type = fixed.headers.get("Content-Type");
    if (type && !headers.has("Content-Type")) headers.set("Content-Type", type);
    init.body = await fixed.arrayBuffer();
  }
  const { header, key } = settings;
  let idempotencyKey: string | undefined;
  if (headers.has(header) || !safe) {
    const chosen = headers.get(header) ?? (typeof key === "string" ? key : await key(input, given));
    idempotencyKey = settle("key", chosen) as string;
    headers.set(header, idempotencyKey);
  }
  return { init, headers, idempotencyKey, signal };
}
