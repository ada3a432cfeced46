/** Time and randomness, handed in from the edge. */
export interface LightRuntime {
  /** Milliseconds since 1970, of the machine. */
  now(): number;
  /** From 0 up to, and not including, 1. */
  random(): number;
  sleep(millis: number): Promise<void>;
  /** Calls `ring` after `millis`, without keeping the process alive; returns the way to cancel it. */
  alarm(millis: number, ring: () => void): () => void;
}

/** The process's own. */
export const lightRuntime: LightRuntime = {
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
  alarm(millis, ring) {
    // A timer beyond 2^31 ms would ring at once.
    const timer = setTimeout(ring, Math.min(millis, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
