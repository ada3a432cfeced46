import type { EpochMillis, EpochSeconds } from "./time.ts";

/** The version of the record's layout that this library writes and reads. */
export const RECORD_VERSION = 1;

/**
 * A value as it is stored: what a codec made of it. `encoding` says how to read `data`. Only the encoding
 * `'undefined'` goes without data: a record of any other that lacks it is corrupt.
 */
export interface Encoded {
  readonly encoding: string;
  readonly data?: string | Uint8Array;
}

/** The encoding of a step's start mark: its data is the owner of the claim that began the step. */
export const STARTED = "started";

/** What every record carries, whatever its status. */
interface RecordBase {
  readonly id: string;
  /** The random id of the claim that wrote the record last. */
  readonly owner: string;
  /** 1 for the first claim, one more with each takeover. 0 before any. */
  readonly attempt: number;
  readonly fingerprint: string | undefined;
  readonly createdAt: EpochMillis;
}

/** A claim holds the key, or held it until `lockedUntil`. */
export interface InProgressRecord extends RecordBase {
  readonly status: "IN_PROGRESS";
  readonly lockedUntil: EpochMillis;
  /** `undefined` under `whenAbandoned: 'reject'`: such a record waits for an operator, for ever. */
  readonly expiresAt: EpochSeconds | undefined;
  /** Recorded steps by name. */
  readonly steps: Readonly<Record<string, Encoded>>;
}

/** The function returned and its result is kept. */
export interface CompletedRecord extends RecordBase {
  readonly status: "COMPLETED";
  readonly expiresAt: EpochSeconds;
  readonly completedAt: EpochMillis;
  readonly result: Encoded;
}

/** The function threw and its error is kept, or its result could not be stored. */
export interface FailedRecord extends RecordBase {
  readonly status: "FAILED";
  readonly expiresAt: EpochSeconds;
  readonly completedAt: EpochMillis;
  readonly result: Encoded;
}

/** The last attempt failed and gave the key back, but kept its recorded steps. */
export interface ReleasedRecord extends RecordBase {
  readonly status: "RELEASED";
  readonly expiresAt: EpochSeconds;
  readonly steps: Readonly<Record<string, Encoded>>;
}

/** A one-time token that nobody has redeemed yet. Its attempt is 0. */
export interface IssuedRecord extends RecordBase {
  readonly status: "ISSUED";
  /** The end of the token. */
  readonly expiresAt: EpochSeconds;
}

/** The stored item of one key. That it has expired is a fact of the clock, not a status. */
export type IdempotencyRecord = InProgressRecord | CompletedRecord | FailedRecord | ReleasedRecord | IssuedRecord;

/** An item that stands under the key and cannot be trusted: never executed, never answered from. */
export interface UnreadableRecord {
  readonly status: "UNREADABLE";
  readonly id: string;
  /** What is wrong with it, without any of its contents. */
  readonly reason: string;
}

/** What a store found under a key. */
export type Found = IdempotencyRecord | UnreadableRecord | undefined;

/** Whether the function has ended, and what it returned or threw is kept. */
export const isFinished = (found: Found): found is CompletedRecord | FailedRecord =>
  found?.status === "COMPLETED" || found?.status === "FAILED";

/** Whether a finished record is the one that was written so, and not another one of the same claim. */
export function isAnswer(
  found: Found,
  answer: Omit<CompletedRecord | FailedRecord, keyof RecordBase> & { readonly owner: string },
): boolean {
  if (found?.status !== answer.status || found.owner !== answer.owner || found.completedAt !== answer.completedAt)
    return false;
  const [one, other] = [found.result.data, answer.result.data];
  if (!(one instanceof Uint8Array && other instanceof Uint8Array)) return one === other;
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
