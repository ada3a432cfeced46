import type { IdempotencyStore } from "../core/store.ts";
import { redirectStores } from "../core/store-in-use.ts";

/**
 * Redirects every operation of this process to `store`, also those whose module made a store of its own
 * when it was loaded. Returns the way back; calls nest.
 *
 * @example
 * const store = testingStore();
 * beforeEach(() => useStore(store)); // Vitest calls the returned function after each test
 */
export function useStore(store: IdempotencyStore): () => void {
  return redirectStores(store);
}
