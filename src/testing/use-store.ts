import type { IdempotencyStore } from "../core/store.ts";
import { redirectStores } from "../core/store-in-use.ts";
import { storeOf } from "../lambda/options.ts";

/**
 * Redirects every operation of this process to `store`, also those whose module made a store of its own
 * when it was loaded. Returns the way back; calls nest.
 *
 * @throws IdempotencyConfigError for what is no store
 * @example
 * const store = testingStore();
 * beforeEach(() => useStore(store)); // Vitest calls the returned function after each test
 */
export function useStore(store: IdempotencyStore): () => void {
  return redirectStores(storeOf(store));
}
