import type { IdempotencyStore } from "./store.ts";

/**
 * The place where a test redirects every operation's store. Global by a registered symbol, so that it
 * also reaches operations of another copy of this library in the same process.
 */
const place = Symbol.for("lambda-once.store-in-use");
const holder = globalThis as { [place]?: IdempotencyStore };

/** The store that an operation uses for this call: its own, unless a test has redirected it. */
export const storeInUse = (own: IdempotencyStore): IdempotencyStore => holder[place] ?? own;

/** Redirects all operations to `store` until the returned function is called. */
export function redirectStores(store: IdempotencyStore): () => void {
  const before = holder[place];
  holder[place] = store;
  return () => {
    if (before === undefined) delete holder[place];
    else holder[place] = before;
  };
}
