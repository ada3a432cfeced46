import { asStoreError, within } from "./bounded.ts";
import { backoff, type Engine } from "./engine.ts";
import { IdempotencyStoreError, isIdempotencyError } from "./errors.ts";
import type { Lease } from "./lease.ts";
import type { Encoded } from "./record.ts";

/** How often a save or a release is tried while the time lasts; below it, the transport retries as well. */
const MOST_TRIES = 4;

/** What one try may take, in milliseconds, where the caller's time is over and it lives all the same: outside of Lambda, beyond its lock. */
const PATIENCE = 2_000;

/** What one request of a claim may take, in milliseconds. */
export const patience = (lease: Lease): number => lease.leftToSave() || PATIENCE;

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
      const answer = await within(runtime, patience(lease), attempt);
      if (answer.outcome !== "busy") return answer as Exclude<A, { outcome: "busy" }>;
      failure = heldElsewhere();
    } catch (error) {
      if (isIdempotencyError(error) && error.code === "config") throw error;
      failure = asStoreError(error);
    }
    if (!failure.retryable || round + 1 >= MOST_TRIES || lease.leftToSave() === 0) throw failure;
    await backoff(runtime, round);
  }
}

/** What a record that stayed busy to the end is told as. */
export const heldElsewhere = (): IdempotencyStoreError =>
  new IdempotencyStoreError({ reason: "throttled", detail: "another transaction holds the record" });

/** Encodes at once, before anything can change the value; a codec that goes elsewhere for it is bounded by the time left. */
export async function encode({ codec, runtime }: Engine, id: string, lease: Lease, value: unknown): Promise<Encoded> {
  const made = codec.encode(value, { id });
  const encoded = made instanceof Promise ? await within(runtime, patience(lease), () => made) : await made;
  const { encoding, data } = encoded;
  const isReadable =
    typeof data === "string" || data instanceof Uint8Array || (data === undefined && encoding === "undefined");
  if (isReadable && typeof encoding === "string" && encoding !== "") return encoded;
  throw new TypeError("the codec's encode() answers no encoding, or no data as a string or bytes");
}
