import { randomFillSync } from "node:crypto";
import type { Runtime } from "../core/engine.ts";
import { stableId, uuid } from "../key/stable-id.ts";

/** Random bytes for the next ids: to draw so many takes hardly longer than to draw one id's. */
const bytes = Buffer.alloc(1_024);
let used = bytes.length;
let drawnIn = 0;

/**
 * A random UUID, of bytes that this very process has drawn within this second: what is older may come from a snapshot, of V8 or of the
 * machine, from which other processes start with the same bytes in memory.
 */
function uniqueId(): string {
  const moment = performance.timeOrigin + Math.floor(Date.now() / 1_000);
  if (used === bytes.length || moment !== drawnIn) {
    randomFillSync(bytes);
    used = 0;
    drawnIn = moment;
  }
  used += 16;
  return uuid(bytes.subarray(used - 16, used), 4);
}

/** The process's own clock, timers and randomness: the one place where they enter. */
export const processRuntime: Runtime = {
  monotonic: () => performance.now(),
  uniqueId,
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
