import { randomUUID } from "node:crypto";
import type { Runtime } from "../core/engine.ts";
import { stableId } from "../key/stable-id.ts";

/** The process's own clock, timers and randomness: the one place where they enter. */
export const processRuntime: Runtime = {
  monotonic: () => performance.now(),
  // From the system each time: processes that start from one snapshot would else draw the same ids from memory.
  uniqueId: () => randomUUID({ disableEntropyCache: true }),
  stableId,
  random: () => Math.random(),
  sleep: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
  alarm(millis, ring) {
    // A timer beyond 2^31 ms would ring at once.
    const timer = setTimeout(ring, Math.min(millis, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
