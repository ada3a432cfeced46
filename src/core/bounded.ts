import type { Runtime } from "./engine.ts";
import { IdempotencyStoreError } from "./errors.ts";

/**
 * What a request to the store answers, or a `timeout` failure once `millis` have passed, whatever the
 * store's own time-outs are. A request that is late goes on unheard: its write may still happen.
 */
export function within<Answer>(runtime: Runtime, millis: number, request: () => Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const cancel = runtime.alarm(Math.max(0, millis), () => {
      const detail = `no answer within the ${Math.max(0, Math.round(millis))} ms that were left`;
      reject(new IdempotencyStoreError({ reason: "timeout", detail }));
    });
    const failed = (error: unknown): void => {
      cancel();
      reject(error);
    };
    try {
      // A store of one's own may answer with any thenable.
      Promise.resolve(request()).then((answer) => {
        cancel();
        resolve(answer);
      }, failed);
    } catch (error) {
      failed(error);
    }
  });
}

/** A store's failure as our own error, also from another copy of this library or a store of one's own. */
export function asStoreError(error: unknown): IdempotencyStoreError {
  if (error instanceof IdempotencyStoreError || (error as { code?: unknown } | null)?.code === "store_failed") {
    return error as IdempotencyStoreError;
  }
  return new IdempotencyStoreError({ reason: "unavailable", detail: "it threw an unexpected error", cause: error });
}
