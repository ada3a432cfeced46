import { asStoreError, within } from "./bounded.ts";
import { ownBytes } from "./codec.ts";
import { backoff, type Engine, type Runtime } from "./engine.ts";
import { IdempotencyStoreError, isIdempotencyError } from "./errors.ts";
import type { Lease } from "./lease.ts";
import type { Encoded, Found } from "./record.ts";

/** How often a save or a release is tried while the time lasts; below it, the transport retries as well. */
const MOST_TRIES = 4;

/**
 * Writes, and tries again while the record is busy or the store fails for a moment, as long as the caller has time.
 * Every request under a claim may be sent twice: its condition names the owner.
 *
 * @throws IdempotencyStoreError where it cannot be known, or is known, not to have been written
 */
export async function persist<A extends { readonly outcome: string }>(
  { runtime }: Engine,
  lease: Lease,
  attempt: () => Promise<A>,
): Promise<Exclude<A, { outcome: "busy" }>> {
  for (let round = 0; ; round++) {
    let failure: IdempotencyStoreError;
    try {
      const answer = await within(runtime, lease.patience(), attempt);
      if (answer.outcome !== "busy") return answer as Exclude<A, { outcome: "busy" }>;
      failure = heldElsewhere();
    } catch (error) {
      if (isIdempotencyError(error) && error.code === "config") throw error;
      failure = asStoreError(error);
    }
    if (!failure.retryable || round + 1 >= MOST_TRIES || !(await pause(runtime, lease, round))) throw failure;
  }
}

/** What stands under the key now. */
export async function readNow(engine: Engine, lease: Lease, id: string): Promise<Found> {
  const { found } = await persist(engine, lease, async () => ({
    outcome: "read",
    found: await engine.store.read(id, { consistent: true }),
  }));
  return found;
}

/** A pause of random length before the next try; `false` where the caller has no time for one. */
export async function pause(runtime: Runtime, lease: Lease, round: number): Promise<boolean> {
  if (lease.leftToSave() > 0) await backoff(runtime, round, lease.leftToSave());
  return lease.leftToSave() > 0;
}

/** What a record that stayed busy to the end is told as. */
export const heldElsewhere = (): IdempotencyStoreError =>
  new IdempotencyStoreError({ reason: "throttled", detail: "another transaction holds the record" });

/** Encodes at once, before anything can change the value; a codec that goes elsewhere for it is bounded by the time left. */
export async function encode({ codec, runtime }: Engine, id: string, lease: Lease, value: unknown): Promise<Encoded> {
  const made: Encoded | PromiseLike<Encoded> | undefined = codec.encode(value, { id });
  const isLater = typeof made === "object" && "then" in made;
  return isLater ? within(runtime, lease.patience(), async () => made.then(ownBytes)) : ownBytes(made);
}
