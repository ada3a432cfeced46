import { refuse, type Settings } from "./options.ts";

/** What is sent, the same at each attempt: later changes of the caller's objects do not reach it. */
export interface Prepared {
  readonly init: RequestInit;
  readonly headers: Headers;
  readonly idempotencyKey: string | undefined;
}

/**
 * Makes one request out of a call that can be sent again, and gives it its key. Copies what the caller may change before
 * it returns its promise, which may stay unsettled: a key or a body need not come.
 *
 * @throws TypeError where the body or the key does not allow that
 */
export async function prepare(
  // A string has none of a Request's members.
  from: Partial<Request>,
  given: RequestInit | undefined,
  { header, key }: Settings,
): Promise<Prepared> {
  const init = { ...given };
  const headers = new Headers(init.headers ?? from.headers);
  const safe = /^(GET|HEAD|OPTIONS)$/i.test(init.method ?? from.method ?? "GET");
  const { body } = init;
  let source: Partial<Request> | Response | undefined;
  if (body == null) source = safe || from.body === null ? source : from;
  else if (typeof body === "object") {
    // A stream is gone once it is sent; Node takes async iterables too.
    if ("getReader" in body || Symbol.asyncIterator in body) {
      refuse("body", "a stream", "any other");
    }
    // The caller may change it, and form data would get a new boundary at each attempt: another body.
    source = new Response(body);
    const type = source.headers.get("Content-Type");
    if (type && !headers.has("Content-Type")) headers.set("Content-Type", type);
  }
  const keyed = headers.has(header) || !safe;
  // Both are begun at once: after an await, a key function would see the caller's next body.
  const [chosen, bytes] = await Promise.all([
    keyed ? (headers.get(header) ?? (typeof key === "string" ? key : key(from as Request, given))) : undefined,
    source?.arrayBuffer?.(),
  ]);
  init.body = bytes ?? body ?? null;
  if (keyed) {
    if (typeof chosen !== "string" || !/^[!-~]{1,255}$/.test(chosen)) {
      refuse("key", chosen, "1 to 255 visible ASCII characters");
    }
    headers.set(header, chosen);
  }
  return { init, headers, idempotencyKey: chosen };
}
