import type { Engine, Runtime } from "./engine.ts";
import { after, ceilSeconds, type EpochMillis, type EpochSeconds } from "./time.ts";

/** The lock of a caller that does not know how long it may run. */
const DEFAULT_LOCK = 60_000;

/** An in-progress record outlives its lock by at least this, so that TTL never frees a key that is held. */
const EXPIRY_AFTER_LOCK = 60_000;

/** How long a claim holds and how long the function may run under it. Milliseconds, on the monotonic clock. */
export interface Lease {
  /** From the lease's begin to the lock's end. */
  readonly length: number;
  /** From the lease's begin to the function's deadline; not above zero where there is no time to run at all. */
  readonly budget: number;
  /** Since the lease's begin. */
  elapsed(): number;
  /** To the function's deadline; 0 after it. */
  left(): number;
  /** To the moment by which the result must be stored, so that the caller can still be answered; 0 after it. */
  leftToSave(): number;
  /** Until when a record that is given back keeps what it knows of earlier attempts. */
  keepUntil(now: EpochMillis): EpochSeconds;
  /** The stored times of a claim made at `now`. */
  times(now: EpochMillis): { readonly lockedUntil: EpochMillis; readonly expiresAt: EpochSeconds | undefined };
}

/**
 * The lease of a caller that has `remaining` milliseconds to run, counted from now. A time that nobody
 * knows gets a bounded lock: a key is never blocked for the whole retention.
 */
export function leaseFor(engine: Engine, remaining: number | undefined): Lease {
  const { runtime, retention, lockMargin, deadlineMargin } = engine;
  const begun = runtime.monotonic();
  const elapsed = (): number => runtime.monotonic() - begun;
  const length = engine.lockFor ?? (remaining === undefined ? DEFAULT_LOCK : remaining + lockMargin);
  const budget = Math.min(length, remaining ?? length) - deadlineMargin;
  // The last moments belong to the answer's way out.
  const saveBy = budget + deadlineMargin - Math.min(100, deadlineMargin / 5);
  return {
    length,
    budget,
    elapsed,
    left: () => Math.max(0, budget - elapsed()),
    leftToSave: () => Math.max(0, saveBy - elapsed()),
    keepUntil: (now) => ceilSeconds(after(now, retention)),
    times(now) {
      const lockedUntil = after(now, length);
      if (engine.policies.whenAbandoned === "reject") return { lockedUntil, expiresAt: undefined };
      return { lockedUntil, expiresAt: ceilSeconds(after(now, Math.max(retention, length + EXPIRY_AFTER_LOCK))) };
    },
  };
}

/** The deadline of a function: how long it may still run, and a signal that aborts when that is over. */
export interface Deadline {
  /** Milliseconds; 0 once the deadline has passed. */
  remaining(): number;
  /** Made when first asked for; its timer does not keep the process alive. */
  signal(): AbortSignal;
  /** Ends the timer. */
  cancel(): void;
}

/** The deadline of the function that runs under `lease`. */
export function deadlineOf(lease: Lease, runtime: Runtime): Deadline {
  let controller: AbortController | undefined;
  let cancelAlarm: (() => void) | undefined;
  let cancelled = false;
  // A timer may ring a fraction early: once the signal has aborted, the time is over.
  const remaining = (): number => (controller?.signal.aborted ? 0 : lease.left());
  return {
    remaining,
    signal() {
      if (controller !== undefined) return controller.signal;
      const made = new AbortController();
      controller = made;
      const ring = (): void => made.abort(new DOMException("the claim's deadline has passed", "TimeoutError"));
      if (remaining() === 0) ring();
      else if (!cancelled) cancelAlarm = runtime.alarm(remaining(), ring);
      return made.signal;
    },
    cancel() {
      cancelled = true;
      cancelAlarm?.();
    },
  };
}
