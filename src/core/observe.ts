/**
 * One turn in the life of a key. It carries no key, payload or result, and the record's id is a hash. An `error` is the
 * one that was thrown, with whatever its author put into it.
 */
export type IdempotencyEvent = {
  readonly operation: string;
  /** The record's id; `undefined` where the key could not be read. */
  readonly id: string | undefined;
} & (
  | { readonly type: "claimed"; readonly attempt: number; readonly takeover: boolean }
  | { readonly type: "replayed"; readonly attempt: number }
  | { readonly type: "refused"; readonly code: string; readonly error: unknown }
  | { readonly type: "unheld" }
  | { readonly type: "completed"; readonly attempt: number; readonly bytes: number }
  | { readonly type: "error_kept"; readonly attempt: number }
  | { readonly type: "unstorable"; readonly attempt: number; readonly error: unknown }
  | { readonly type: "released"; readonly attempt: number }
  | { readonly type: "held"; readonly attempt: number; readonly reason: string; readonly error?: unknown }
  | { readonly type: "claim_lost"; readonly attempt: number }
  /** A call has waited for the one that runs under its key: how long, and how often it looked. */
  | { readonly type: "waited"; readonly millis: number; readonly reads: number }
  /** The lock could not be renewed; it is tried again until it lapses. */
  | { readonly type: "renew_failed"; readonly attempt: number; readonly error: unknown }
  | { readonly type: "save_failed"; readonly attempt: number; readonly error: unknown }
  | { readonly type: "release_failed"; readonly attempt: number; readonly error: unknown }
  /** A record of a batch is handed back to its source, which delivers it again. `item` is its message id or sequence number. */
  | { readonly type: "reported"; readonly item: string; readonly reason: ReportReason; readonly error?: unknown }
  /** A message that is in progress elsewhere could not be hidden until the lock's end; it comes back when its queue says. */
  | { readonly type: "visibility_failed"; readonly item: string; readonly error: unknown }
);

/**
 * Why a record of a batch is handed back: the function threw; it, or the saving of its outcome, had not ended when the
 * batch had to be answered; the call was refused, or a kept error answers it; the outcome is not to be kept (`remember`);
 * another record of the batch has the same key and was handed back; an earlier record of its group was; the time left is
 * too short. Under the last two it was not begun.
 */
export type ReportReason =
  | "threw"
  | "unfinished"
  | "refused"
  | "not_kept"
  | "joined"
  | "group_stopped"
  | "no_time_left";

/** Told of each turn; never awaited, and what it throws is swallowed. */
export type Observer = (event: IdempotencyEvent) => void;
