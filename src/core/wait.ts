import { within } from "./bounded.ts";
import { type Decision, decide } from "./decide.ts";
import { type Engine, tell } from "./engine.ts";
import type { Lease } from "./lease.ts";
import { nowOf } from "./time.ts";

/** The first pause, and the longest, in milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/** How often a waiting call reads the record at most, whatever its time. */
const MOST_READS = 60;

/**
 * Reads the record with growing, jittered pauses until the call that holds it has ended: what its record then means, or
 * that it is still running when the time is over. A lock that lapses meanwhile is an end as well.
 */
export async function waitForEnd(
  engine: Engine,
  { id, fingerprint }: { readonly id: string; readonly fingerprint: string | undefined },
  lease: Lease,
  millis: number,
  running: Extract<Decision, { do: "yield" }>,
): Promise<Decision> {
  const { runtime, store } = engine;
  const begun = lease.elapsed();
  const left = (): number => Math.min(millis - (lease.elapsed() - begun), lease.left());
  let decision: Decision = running;
  let pause = FIRST_PAUSE;
  let reads = 0;
  while (decision.do === "yield" && reads < MOST_READS && left() > 0) {
    // Not much longer than to the lock's end: a key that lapses is claimed soon.
    const jittered = Math.min(pause * (0.5 + runtime.random() / 2), decision.lockEndsIn + 10, left());
    await runtime.sleep(Math.max(1, jittered));
    pause = Math.min(pause * 1.5, LONGEST_PAUSE);
    reads++;
    try {
      const found = await within(runtime, Math.max(1, left()), () => store.read(id, { consistent: true }));
      decision = decide(found, fingerprint, nowOf(store.clock), engine.policies);
    } catch {
      // The next look, or the caller's time, decides.
    }
  }
  tell(engine, id, { type: "waited", millis: Math.round(lease.elapsed() - begun), reads });
  return decision;
}
