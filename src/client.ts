/** The caller's half: a `fetch` whose retries are one operation. Imports nothing, runs in browsers and Node. */

export { IdempotentFetchError } from "./client/failure.ts";
export { type IdempotentFetch, type IdempotentResponse, idempotentFetch } from "./client/fetch.ts";
export type { Duration, Fetch, IdempotentFetchOptions, Retry } from "./client/options.ts";
