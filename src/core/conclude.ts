import { type StoredAnswer, storedAnswer } from "./answer.ts";
import { type Decision, decide } from "./decide.ts";
import type { Engine } from "./engine.ts";
import {
  IdempotencyAbandonedError,
  IdempotencyDuplicateError,
  type IdempotencyError,
  IdempotencyInProgressError,
  IdempotencyKeyReusedError,
  IdempotencyRecordError,
} from "./errors.ts";
import { type Found, isFinished } from "./record.ts";
import type { EpochMillis } from "./time.ts";

/** A call that does not run: answered from the record, or refused. */
export type Concluded = StoredAnswer | { readonly status: "refused"; readonly error: IdempotencyError };

/** A decision that ends the call. */
export type FinalDecision = Exclude<Decision, { do: "create" | "succeed" | "yield" }>;

/** What the call is answered with. */
export async function conclude(engine: Pick<Engine, "codec">, id: string, decision: FinalDecision): Promise<Concluded> {
  if (decision.do !== "refuse") return await storedAnswer(engine, decision.record);
  switch (decision.because) {
    case "key_reused":
      return { status: "refused", error: new IdempotencyKeyReusedError() };
    case "duplicate":
      return { status: "refused", error: new IdempotencyDuplicateError() };
    case "abandoned":
      return { status: "refused", error: new IdempotencyAbandonedError({ id }) };
    case "record_corrupt":
      return { status: "refused", error: new IdempotencyRecordError({ id, detail: decision.reason }) };
  }
}

/** The answer that a finished record gives to a request with an equal fingerprint, without a claim; else `undefined`. */
export function answerIn(
  engine: Pick<Engine, "codec" | "policies">,
  { id, fingerprint }: { readonly id: string; readonly fingerprint: string | undefined },
  found: Found,
  now: EpochMillis,
): Promise<Concluded> | undefined {
  if (!isFinished(found)) return undefined;
  if (found.fingerprint !== fingerprint) return undefined;
  const decision = decide(found, fingerprint, now, engine.policies);
  return decision.do === "create" || decision.do === "succeed" || decision.do === "yield"
    ? undefined
    : conclude(engine, id, decision);
}

/** Try again when the lock ends, but no sooner than in 1 and no later than in 2 seconds: most calls are done long before. */
export function inProgress(lockEndsIn: number): { readonly status: "refused"; readonly error: IdempotencyError } {
  const retryAfter = Math.min(2, Math.max(1, Math.ceil(lockEndsIn / 1000)));
  return {
    status: "refused",
    error: new IdempotencyInProgressError({ retryAfter, lockEndsIn: lockEndsIn || undefined }),
  };
}
