import type { Encoded, Found, InProgressRecord } from "./record.ts";
import type { Clock, EpochMillis, EpochSeconds } from "./time.ts";
import type { PartFacts, WriteAction } from "./write.ts";

/** Asks for the right to execute. */
export interface ClaimRequest {
  readonly id: string;
  /** A fresh random id: it makes this claim recognisable, also after a lost response. */
  readonly owner: string;
  /** The moment that the conditions compare with. */
  readonly now: EpochMillis;
  readonly lockedUntil: EpochMillis;
  /** `undefined`: the record is never claimable by age and never deleted (`whenAbandoned: 'reject'`). */
  readonly expiresAt: EpochSeconds | undefined;
  readonly fingerprint: string | undefined;
  /**
   * The record to succeed: a lapsed lock, or a released one. Compared by status, owner and attempt
   * (and, for a lock, that it has lapsed at `now`), so that one of many contenders wins.
   * Absent: the claim is granted only where nothing live stands under `id`.
   */
  readonly from?: ClaimedFrom;
  /** Without `from`: the claim is granted only over a token, or one that was given back, that has not ended. Never creates a record. */
  readonly issued?: boolean;
}

/** Issues a one-time token. */
export interface IssueRequest {
  readonly id: string;
  readonly owner: string;
  readonly now: EpochMillis;
  /** The end of the token. */
  readonly expiresAt: EpochSeconds;
}

export type IssueAnswer = { readonly outcome: "issued" } | Conflict | Busy;

/** The record that a takeover or a resumption has seen and succeeds. */
export interface ClaimedFrom {
  readonly status: "IN_PROGRESS" | "RELEASED" | "ISSUED";
  readonly owner: string;
  readonly attempt: number;
}

/** Another request holds the item just now (DynamoDB: a transaction); nothing was written. Try again. */
export interface Busy {
  readonly outcome: "busy";
}

/** The condition did not hold; nothing was written by this request. `found` is what stood there. */
export interface Conflict {
  readonly outcome: "conflict";
  readonly found: Found;
}

export type ClaimAnswer = { readonly outcome: "claimed"; readonly record: InProgressRecord } | Conflict | Busy;

/** Ends a claim with a stored answer. */
export interface CompleteRequest {
  readonly id: string;
  readonly owner: string;
  readonly status: "COMPLETED" | "FAILED";
  readonly result: Encoded;
  readonly completedAt: EpochMillis;
  readonly expiresAt: EpochSeconds;
}

/** What was to be stored does not fit into a record. Nothing was written. */
export interface TooLarge {
  readonly outcome: "too_large";
  readonly bytes: number;
  readonly limit: number;
}

export type CompleteAnswer = { readonly outcome: "written" } | TooLarge | Conflict | Busy;

/** Names a claim: every write after the claim is conditioned on it. */
export interface Ownership {
  readonly id: string;
  readonly owner: string;
}

/** Gives the key back. */
export interface ReleaseRequest extends Ownership {
  /**
   * `undefined`: the record is deleted. Else it stays until then as `RELEASED`, with its attempt and steps, so that the
   * next claim knows of earlier attempts whose outcome is unknown.
   */
  readonly keepUntil: EpochSeconds | undefined;
  /** The end of the token that was redeemed: without `keepUntil` it may be redeemed again until then. */
  readonly issuedUntil?: EpochSeconds | undefined;
  /** Steps whose start mark goes with the release: they failed, and may begin again. */
  readonly forget?: readonly string[];
}

export type ReleaseAnswer = { readonly outcome: "released" } | Conflict | Busy;

/** Records a step under the claim, or marks that it has begun. */
export interface CheckpointRequest extends Ownership {
  readonly name: string;
  readonly step: Encoded;
}

export type CheckpointAnswer = { readonly outcome: "written" } | TooLarge | Conflict | Busy;

/** Moves the lock's end. */
export interface RenewRequest extends Ownership {
  readonly lockedUntil: EpochMillis;
  readonly expiresAt: EpochSeconds | undefined;
}

export type RenewAnswer = { readonly outcome: "written" } | Conflict | Busy;

/** The record that a commit leaves: the answer of a claim, or of a key that nothing holds. */
export type CommitRecord =
  | ({ readonly from: "claim" } & CompleteRequest)
  /** Written only where nothing live stands at `now`: the claim and the answer in one. */
  | ({
      readonly from: "nothing";
      readonly now: EpochMillis;
      readonly fingerprint: string | undefined;
    } & CompleteRequest);

/** A record and writes to other tables that are carried out together or not at all. */
export interface CommitRequest {
  /** `undefined`: the writes alone. */
  readonly record: CommitRecord | undefined;
  readonly actions: readonly WriteAction[];
  /** Recognises the request when it is sent again, for ten minutes. Never used for another one. */
  readonly token: string;
}

export type CommitAnswer =
  | { readonly outcome: "written" }
  | TooLarge
  /** The record's own condition failed. */
  | (Conflict & Resent)
  | (Busy & Resent)
  /** A condition of one of the actions failed: what became of each, in their order. Nothing was written, and the claim is still held. */
  | ({ readonly outcome: "refused"; readonly facts: readonly PartFacts[] } & Resent);

/** What a store knows of the sendings below it. */
interface Resent {
  /** The answer is that of a later sending: an earlier one, which nobody heard of, may still arrive and be carried out. */
  readonly resent?: true;
}

/**
 * Where records live. Every verb is one atomic, conditional request; none decides anything that the
 * condition does not say. What cannot be answered (throttled, timed out, no table, no permission)
 * is thrown as `IdempotencyStoreError`; what is an ordinary answer is returned.
 *
 * Implementations: `memoryStore()`, `dynamoDBStore()`. A store of one's own must pass the contract
 * suite in `test/contract/`.
 */
export interface IdempotencyStore {
  /** The wall clock of every time that is stored. */
  readonly clock: Clock;
  /**
   * Without `from`: writes an in-progress record with attempt 1 where there is none, or an expired
   * one whose lock (if any) has lapsed. With `issued`: over a token alone. With `from`: replaces owner, lock, expiry and fingerprint,
   * keeps steps and `createdAt`, and adds 1 to the attempt.
   */
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  /** Writes the result where the claim still holds the record; removes the lock and the steps. */
  complete(request: CompleteRequest): Promise<CompleteAnswer>;
  /** Writes a record that can be redeemed, where nothing live stands. Absent: a store that issues no tokens. */
  readonly issue?: ((request: IssueRequest) => Promise<IssueAnswer>) | undefined;
  /** Deletes the record, or marks it as released or issued, where the claim still holds it. */
  release(request: ReleaseRequest): Promise<ReleaseAnswer>;
  /** Stores a step's result, or its start mark, where the claim still holds the record. */
  checkpoint(request: CheckpointRequest): Promise<CheckpointAnswer>;
  /** Moves lock and expiry where the claim still holds the record. */
  renew(request: RenewRequest): Promise<RenewAnswer>;
  /**
   * Writes the record and carries out the actions in one transaction; sent again with the same request, it is the same
   * transaction. Absent: a store that has no tables to write to.
   *
   * @throws IdempotencyConfigError for actions that cannot be sent
   */
  readonly commit?: ((request: CommitRequest) => Promise<CommitAnswer>) | undefined;
  /** What stands under `id`, expired or not. `consistent: false` may be a moment old and costs half. */
  read(id: string, options: { readonly consistent: boolean }): Promise<Found>;
}
