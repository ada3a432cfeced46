import type { CompletedRecord, FailedRecord, Found, InProgressRecord } from "./record.ts";
import type { ClaimedFrom } from "./store.ts";
import { type EpochMillis, floorSeconds } from "./time.ts";

/** The options that say what a record means for a new request. */
export interface Policies {
  readonly whenCompleted: "replay" | "reject";
  readonly whenAbandoned: "rerun" | "reject";
}

/** What a request may do about the record that stands under its key. */
export type Decision =
  /** Nothing live stands there: claim the key as new. */
  | { readonly do: "create" }
  /** A lapsed lock, a released record or a token: succeed it by compare-and-set. */
  | { readonly do: "succeed"; readonly from: ClaimedFrom }
  /** Answer with the stored result. */
  | { readonly do: "replay"; readonly record: CompletedRecord }
  /** Answer with the stored error. */
  | { readonly do: "rethrow"; readonly record: FailedRecord }
  /** A claim holds the key; its lock ends in `lockEndsIn` milliseconds. */
  | { readonly do: "yield"; readonly lockEndsIn: number }
  | { readonly do: "refuse"; readonly because: "key_reused" | "duplicate" | "abandoned" }
  | { readonly do: "refuse"; readonly because: "record_corrupt"; readonly reason: string };

/**
 * What the record means for a request with this fingerprint, at this moment. Total and pure: the order
 * is unreadable, expired, mismatch, status, so that neither a corrupt record nor another payload can
 * ever lead to an execution.
 *
 * A fingerprint counts where both sides have one: records written before the option was given stay valid.
 */
export function decide(found: Found, fingerprint: string | undefined, now: EpochMillis, policies: Policies): Decision {
  if (found === undefined) return { do: "create" };
  if (found.status === "UNREADABLE") return { do: "refuse", because: "record_corrupt", reason: found.reason };

  const locked = found.status === "IN_PROGRESS" && found.lockedUntil > now;
  if (found.expiresAt !== undefined && found.expiresAt <= floorSeconds(now) && !locked) return { do: "create" };

  if (found.fingerprint !== undefined && fingerprint !== undefined && found.fingerprint !== fingerprint) {
    return { do: "refuse", because: "key_reused" };
  }
  switch (found.status) {
    case "COMPLETED":
      return policies.whenCompleted === "reject"
        ? { do: "refuse", because: "duplicate" }
        : { do: "replay", record: found };
    case "FAILED":
      // It was never carried out, so that `whenCompleted` says nothing about it.
      return { do: "rethrow", record: found };
    case "RELEASED":
      return { do: "succeed", from: { status: "RELEASED", owner: found.owner, attempt: found.attempt } };
    case "ISSUED":
      return { do: "succeed", from: { status: "ISSUED", owner: found.owner, attempt: found.attempt } };
    case "IN_PROGRESS":
      if (locked) return { do: "yield", lockEndsIn: found.lockedUntil - now };
      return policies.whenAbandoned === "reject"
        ? { do: "refuse", because: "abandoned" }
        : { do: "succeed", from: { status: "IN_PROGRESS", owner: found.owner, attempt: found.attempt } };
  }
}

/** Whether the record is a claim of `owner` that holds: seen by who made it, its own claim whose answer was lost. */
export const isLiveClaimOf = (found: Found, owner: string, now: EpochMillis): found is InProgressRecord =>
  found?.status === "IN_PROGRESS" && found.owner === owner && found.lockedUntil > now;
