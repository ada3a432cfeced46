import { asStoreError, within } from "./bounded.ts";
import { type Decision, decide, isLiveClaimOf } from "./decide.ts";
import { type Engine, tell } from "./engine.ts";
import type { IdempotencyStoreError } from "./errors.ts";
import type { Lease } from "./lease.ts";
import type { InProgressRecord } from "./record.ts";
import { nowOf } from "./time.ts";

/** The first pause, and the longest of a short wait, in milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/** How often a waiting call reads the record at most, whatever its time. */
export const MOST_READS = 60;

/** One call's wait, over all of those that hold the key meanwhile. */
export interface Waiting {
  /** How often it has read the record. */
  reads: number;
  /** The longest pause between two reads: a long wait looks less often. */
  readonly longest: number;
  /** Milliseconds; not above zero where it is over. */
  left(): number;
}

/**
 * How long a call may wait: as the operation says, as long as the caller's way in lasts, and as long as the caller
 * itself has time, less the margin that an answer needs.
 */
export function waitFor(
  { patience, deadlineMargin, runtime }: Engine,
  { remaining, answerWithin }: { readonly remaining: number | undefined; readonly answerWithin?: number | undefined },
  lease: Lease,
): Waiting {
  const forEver = Number.POSITIVE_INFINITY;
  const own = Math.min(patience ?? forEver, answerWithin ?? forEver);
  const callers = remaining === undefined ? forEver : remaining - deadlineMargin - lease.elapsed();
  const both = Math.min(own, callers);
  // Nobody knows a limit: as long as the call itself would have held the key.
  const millis = both === forEver ? lease.budget : both;
  const begun = runtime.monotonic();
  return {
    reads: 0,
    longest: Math.max(LONGEST_PAUSE, millis / (MOST_READS / 2.5)),
    left: () => millis - (runtime.monotonic() - begun),
  };
}

/**
 * Reads the record with growing, jittered pauses until the call that holds it has ended: what its record then means, or
 * that it is still running when the time is over. A lock that lapses meanwhile is an end as well, and so is a claim of
 * `owner`, this call's own: an earlier sending of it has arrived late.
 */
export async function waitForEnd(
  engine: Engine,
  { id, fingerprint }: { readonly id: string; readonly fingerprint: string | undefined },
  { waiting, owner }: { readonly waiting: Waiting; readonly owner: string },
  running: Extract<Decision, { do: "yield" }>,
): Promise<
  | Decision
  | { readonly do: "own"; readonly record: InProgressRecord }
  /** The record cannot be read, and will not be. */
  | { readonly do: "fail"; readonly error: IdempotencyStoreError }
> {
  const { runtime, store } = engine;
  const begun = runtime.monotonic();
  const before = waiting.reads;
  let decision: Awaited<ReturnType<typeof waitForEnd>> = running;
  let pause = FIRST_PAUSE;
  while (decision.do === "yield" && waiting.reads < MOST_READS && waiting.left() > 0) {
    const { lockEndsIn } = decision;
    // Not much longer than to the lock's end, where it is known: a key that lapses is claimed soon.
    const lapses = lockEndsIn > 0 ? lockEndsIn + 10 : pause;
    await runtime.sleep(Math.max(1, Math.min(pause * (0.5 + runtime.random() / 2), lapses, waiting.left())));
    pause = Math.min(pause * 1.5, waiting.longest);
    waiting.reads++;
    // Taken before the read: by a later one, a record whose lock was renewed meanwhile would count as lapsed.
    const now = nowOf(store.clock);
    try {
      const found = await within(runtime, Math.max(1, waiting.left()), () => store.read(id, { consistent: true }));
      decision = isLiveClaimOf(found, owner, now)
        ? { do: "own", record: found }
        : decide(found, fingerprint, now, engine.policies);
    } catch (thrown) {
      const error = asStoreError(thrown);
      // Else the next look, or the caller's time, decides.
      if (!error.retryable) decision = { do: "fail", error };
    }
  }
  const millis = Math.round(runtime.monotonic() - begun);
  tell(engine, id, { type: "waited", millis, reads: waiting.reads - before });
  return decision;
}
