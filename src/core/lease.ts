import type { Engine, Runtime } from "./engine.ts";
import { after, ceilSeconds, type EpochMillis, type EpochSeconds } from "./time.ts";

/** The lock of a caller that does not know how long it may run. */
const DEFAULT_LOCK = 60_000;

/** What one request may take, in milliseconds, where the caller's time is over and it lives all the same: outside of Lambda, beyond its lock. */
const PATIENCE = 2_000;

/** An in-progress record outlives its lock by at least this, so that TTL never frees a key that is held. */
const EXPIRY_AFTER_LOCK = 60_000;

/** How long a claim holds and how long the function may run under it. Milliseconds, on the monotonic clock. */
export interface Lease {
  /** From the lease's begin, or the last renewal, to the lock's end. */
  readonly length: number;
  /** From the lease's begin to the function's deadline; not above zero where there is no time to run at all. */
  readonly budget: number;
  /** The lock is shorter than what the caller has left to run: it has to be renewed meanwhile. */
  readonly renews: boolean;
  /** Since the lease's begin. */
  elapsed(): number;
  /** To the function's deadline; 0 after it. */
  left(): number;
  /** Whether the deadline of a function without writes has passed. */
  overdue(): boolean;
  /** To the moment by which the result must be stored, so that the caller can still be answered; 0 after it. */
  leftToSave(): number;
  /** What one request of the claim may take: to that moment; after it, what the caller's answer does not need. */
  patience(): number;
  /** To the moment when `left()` has to be looked at again: the deadline, or the end of a lock that was not renewed. */
  nextLook(): number;
  /** The lock was moved, by a request that was sent when `elapsed()` was `sentAt`. */
  renewed(sentAt: number): void;
  /** Writes are to be committed: what an unknown commit may take is kept free before the end. */
  reserve(): void;
  /** The end of the token that was redeemed. */
  readonly issuedUntil: EpochSeconds | undefined;
  /** Until when a record that is given back keeps what it knows of earlier attempts. */
  keepUntil(now: EpochMillis): EpochSeconds;
  /** The stored times of a claim made at `now`, when `passed` milliseconds of the lock are over. */
  times(
    now: EpochMillis,
    passed?: number,
  ): { readonly lockedUntil: EpochMillis; readonly expiresAt: EpochSeconds | undefined };
}

/**
 * The lease of a caller that has `remaining` milliseconds to run, counted from now. A time that nobody
 * knows gets a bounded lock: a key is never blocked for the whole retention.
 */
export function leaseFor(engine: Engine, remaining: number | undefined, issuedUntil?: EpochSeconds): Lease {
  const { runtime, retention, lockMargin, deadlineMargin } = engine;
  const begun = runtime.monotonic();
  const elapsed = (): number => runtime.monotonic() - begun;
  const length = engine.lockFor ?? (remaining === undefined ? DEFAULT_LOCK : remaining + lockMargin);
  const renews = remaining !== undefined && length < remaining;
  const end = renews ? remaining : Math.min(length, remaining ?? length);
  // The last moments belong to the answer's way out.
  const wayOut = Math.min(100, deadlineMargin / 5);
  let margin = deadlineMargin;
  let lockEnd = length;
  const lockLeft = (): number => Math.max(0, lockEnd - deadlineMargin - elapsed());
  const leftToSave = (): number => Math.max(0, Math.min(end, lockEnd) - wayOut - elapsed());
  const left = (): number => (lockLeft() === 0 ? 0 : Math.max(0, end - margin - elapsed()));
  return {
    length,
    budget: end - deadlineMargin,
    renews,
    elapsed,
    left,
    overdue: () => lockLeft() === 0 || elapsed() >= end - deadlineMargin,
    leftToSave,
    patience: () => leftToSave() || Math.max(0, Math.min(PATIENCE, ((remaining ?? Infinity) - elapsed()) / 2)),
    nextLook: () => Math.min(left(), lockLeft()),
    renewed(sentAt) {
      lockEnd = Math.max(lockEnd, sentAt + length);
    },
    reserve() {
      margin = Math.max(deadlineMargin, Math.min(engine.commitMargin, end / 3));
    },
    issuedUntil,
    // A token that is given back ends when it would have ended.
    keepUntil: (now) => issuedUntil ?? ceilSeconds(after(now, retention)),
    times(now, passed = 0) {
      const lockedUntil = after(now, Math.max(0, length - passed));
      if (engine.policies.whenAbandoned === "reject") return { lockedUntil, expiresAt: undefined };
      const expiresAt = ceilSeconds(after(now, Math.max(retention, length + EXPIRY_AFTER_LOCK)));
      // A token whose call crashes can be redeemed again until it ends.
      return { lockedUntil, expiresAt: issuedUntil !== undefined && issuedUntil > expiresAt ? issuedUntil : expiresAt };
    },
  };
}

/** The deadline of a function: how long it may still run, and a signal that aborts when that is over. */
export interface Deadline {
  /** Milliseconds; 0 once the deadline has passed. */
  remaining(): number;
  /** Made when first asked for; its timer does not keep the process alive. */
  signal(): AbortSignal;
  /** Aborts the signal now: the claim is lost. */
  abort(reason: unknown): void;
  /** The lease has changed: the timer is set anew. */
  changed(): void;
  /** Ends the timer. */
  cancel(): void;
}

/** The deadline of the function that runs under `lease`. */
export function deadlineOf(lease: Lease, runtime: Runtime): Deadline {
  let controller: AbortController | undefined;
  let cancelAlarm: (() => void) | undefined;
  let cancelled = false;
  const remaining = (): number => (controller?.signal.aborted ? 0 : lease.left());

  function watch(): void {
    cancelAlarm?.();
    if (controller === undefined || controller.signal.aborted) return;
    if (remaining() === 0) controller.abort(new DOMException("the claim's deadline has passed", "TimeoutError"));
    // A timer may ring a fraction early, and the lock may have been renewed meanwhile.
    else if (!cancelled) cancelAlarm = runtime.alarm(lease.nextLook(), watch);
  }

  return {
    remaining,
    signal() {
      if (controller === undefined) {
        controller = new AbortController();
        watch();
      }
      return controller.signal;
    },
    abort(reason) {
      cancelAlarm?.();
      controller ??= new AbortController();
      controller.abort(reason);
    },
    changed: watch,
    cancel() {
      cancelled = true;
      cancelAlarm?.();
    },
  };
}
