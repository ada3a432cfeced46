/** What of a Middy request tells how the handler ended. */
interface Ending {
  response: unknown;
  error: unknown;
}

/**
 * Watches how the handler of a Middy request ends, and tells what it answered; `undefined` where it did not.
 *
 * Middy's `onError` hooks are told of every error alike: of the handler's, and of another hook's after the handler had
 * answered, whose effect is done. Middy sets `response` to the handler's answer, and sets it back to `undefined` before it sets
 * `error`: once is the handler's error, twice is a handler that had answered.
 */
export function watchAnswer(request: Ending): () => { readonly response: unknown } | undefined {
  const set: unknown[] = [];
  let { response, error } = request;
  let failed = false;
  Object.defineProperty(request, "response", {
    configurable: true,
    enumerable: true,
    get: () => response,
    set(value: unknown) {
      if (!failed) set.push(value);
      response = value;
    },
  });
  Object.defineProperty(request, "error", {
    configurable: true,
    enumerable: true,
    get: () => error,
    set(value: unknown) {
      failed = true;
      error = value;
    },
  });
  return () => (set.length > 1 ? { response: set[0] } : undefined);
}
