import type { Found, IdempotencyRecord, InProgressRecord } from "../core/record.ts";
import type { ClaimAnswer, ClaimRequest, CommitRecord, IssueRequest } from "../core/store.ts";

/** The record that a claim on a vacant key writes. */
export function firstClaim({ id, owner, now, lockedUntil, expiresAt, fingerprint }: ClaimRequest): InProgressRecord {
  return {
    id,
    status: "IN_PROGRESS",
    owner,
    attempt: 1,
    createdAt: now,
    lockedUntil,
    expiresAt,
    fingerprint,
    steps: {},
  };
}

/** The record of a token that nobody has redeemed yet. */
export function issued({ id, owner, now, expiresAt }: IssueRequest): IdempotencyRecord {
  return { id, status: "ISSUED", owner, attempt: 0, createdAt: now, expiresAt, fingerprint: undefined };
}

/** The answer to a claim that succeeded another one, from the item as it stands now. */
export function successor(found: Found): ClaimAnswer {
  // An item that cannot be read is never executed, even where its lock is ours now: the lock lapses.
  return found?.status === "IN_PROGRESS" ? { outcome: "claimed", record: found } : { outcome: "conflict", found };
}

/** The record of an answer that no claim came before. */
export function answered(record: Extract<CommitRecord, { from: "nothing" }>): IdempotencyRecord {
  const { id, owner, status, result, fingerprint, completedAt, expiresAt, now } = record;
  return { id, owner, status, attempt: 1, createdAt: now, fingerprint, result, completedAt, expiresAt };
}
