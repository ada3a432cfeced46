import { within } from "./bounded.ts";
import { type Engine, tell } from "./engine.ts";
import type { Lease } from "./lease.ts";
import type { Found, InProgressRecord } from "./record.ts";
import { nowOf } from "./time.ts";

/**
 * Renews the lock at a third of its length, until the returned function is called or the function's deadline has
 * passed; from then on the lock lapses by itself. `onLost` is called once where another call holds the record.
 */
export function keepRenewed(
  engine: Engine,
  { id, owner, attempt }: InProgressRecord,
  lease: Lease,
  onLost: (found: Found) => void,
): () => void {
  const { runtime, store } = engine;
  // Sooner where the deadline of a lock that is not renewed comes sooner.
  const pause = Math.min(lease.length / 3, lease.nextLook() / 2);
  let cancelAlarm: (() => void) | undefined;
  let ended = false;

  const next = (millis: number): void => {
    cancelAlarm = runtime.alarm(millis, () => void renew());
  };

  async function renew(): Promise<void> {
    if (lease.left() === 0) return;
    const sentAt = lease.elapsed();
    try {
      const times = lease.times(nowOf(store.clock));
      const answer = await within(runtime, Math.min(pause, lease.nextLook()), () =>
        store.renew({ id, owner, ...times }),
      );
      if (ended) return;
      // A later lock of this very claim stands there: it is held for longer than was asked for.
      const stands =
        answer.outcome === "conflict" && answer.found?.status === "IN_PROGRESS" && answer.found.owner === owner;
      if (answer.outcome === "conflict" && !stands) return onLost(answer.found);
      if (answer.outcome !== "busy") lease.renewed(sentAt);
      next(answer.outcome !== "busy" ? pause : pause / 4);
    } catch (error) {
      if (ended) return;
      tell(engine, id, { type: "renew_failed", attempt, error });
      next(pause / 4);
    }
  }

  next(pause);
  return () => {
    ended = true;
    cancelAlarm?.();
  };
}
