import type { Found } from "../../src/core/record.ts";
import type { Machine } from "./machine.ts";
import type { FunctionPlan, Identity } from "./scenario.ts";

/** How a call ended, for its caller. */
export type Answer =
  | {
      readonly status: "executed" | "replayed";
      readonly attempt: number;
      readonly kept: boolean;
      readonly result: unknown;
    }
  | { readonly status: "threw"; readonly error: unknown };

/** One call of a wrapped function, and what it met on its way. */
export interface Call {
  readonly number: number;
  readonly identity: Identity;
  readonly fingerprint: string;
  readonly plan: FunctionPlan;
  readonly machine: Machine;
  readonly begunAt: number;
  endedAt?: number;
  answer?: Answer;
  /** The record's id. */
  id?: string;
  /** The last owner that it drew. */
  owner?: string;
  /** It claims at its commit. */
  readonly vacant: boolean;
  /** Made once faults have stopped, to see whether its key is answered. */
  readonly probe: boolean;
  /** How often its process had been frozen when it began. */
  readonly freezesBefore: number;
  /** Where its process was frozen, the time-out that would end it does not come. */
  readonly sturdy: boolean;
  run?: Run;
  /** What its caller had to run when it began, in milliseconds. */
  readonly remaining: number | undefined;
  faults: number;
  /** Requests that met a live lock of another call. */
  locksMet: number;
  busyMet: number;
  conflicts: number;
  /** Statuses of the records that its requests met, with `other fingerprint` and `lapsed`. */
  readonly met: Set<string>;
  /** The observer was told that the result was not saved, or that its record was gone. */
  unsaved: boolean;
}

/** One execution of a function. */
export interface Run {
  readonly number: number;
  readonly call: Call;
  readonly id: string;
  readonly owner: string;
  readonly attempt: number;
  readonly window: number;
  readonly begunAt: number;
  endedAt?: number;
  /** What it threw. */
  error?: unknown;
  /** Nobody can know what became of it: it must not free its key. */
  unknown: boolean;
  /** What its commits were told to have become of, by part. */
  readonly commits: Map<string, "committed" | "refused" | "unknown" | "failed">;
}

/** An outcome that the record of a key has held. */
export interface Completion {
  readonly status: "COMPLETED" | "FAILED";
  readonly value: unknown;
  readonly from: number;
  /** Epoch milliseconds of its expiry. */
  readonly until: number;
  readonly owner: string;
}

/** What has happened to the record of one key. */
export interface KeyHistory {
  readonly identity: Identity;
  /** Counts first claims: each begins a window. */
  window: number;
  readonly completions: Completion[];
  readonly runs: Run[];
  /** By window and step: what became of its begun executions. */
  readonly begun: Map<string, "begun" | "failed" | "recorded">;
  /** Every value that was recorded, by window and step. */
  readonly recorded: Map<string, string>;
  /** The states that the record had, for reads that are a moment old. */
  readonly versions: { readonly at: number; readonly found: Found }[];
  /** When the last request arrived that was not a probe's. */
  touchedAt: number;
}

/** All that has happened, as somebody sees it who sees everything. */
export interface History {
  readonly calls: Call[];
  readonly keys: Map<string, KeyHistory>;
  /** Which call drew which owner. */
  readonly owners: Map<string, Call>;
  /** The lock's end that the store holds for an owner, as it is written. */
  readonly locks: Map<string, number>;
  /** Owners whose record another one has taken or removed. */
  readonly lost: Set<string>;
  /** Owners who have given their key back. */
  readonly released: Set<string>;
  /** Commits of writes that were carried out: the record's id and the window by their row. */
  readonly rows: Map<string, { readonly id: string; readonly window: number; readonly at: number }>;
}

export function historyOf(): History {
  return {
    calls: [],
    keys: new Map(),
    owners: new Map(),
    locks: new Map(),
    lost: new Set(),
    released: new Set(),
    rows: new Map(),
  };
}

/** The history of a record's key; the first call that comes with it says whose it is. */
export function keyOf(history: History, id: string, identity?: Identity): KeyHistory {
  const known = history.keys.get(id);
  if (known !== undefined) return known;
  if (identity === undefined) throw new Error(`a record ${id} that no call has asked for`);
  const key: KeyHistory = {
    identity,
    window: 0,
    completions: [],
    runs: [],
    begun: new Map(),
    recorded: new Map(),
    versions: [],
    touchedAt: 0,
  };
  history.keys.set(id, key);
  return key;
}
