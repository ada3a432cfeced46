/** What must hold, by name. */
export const INVARIANTS = {
  I1: "atomic: at most one commit per key and window, and what is told of it is true",
  I2: "all successful answers of a key are equal, and they are what the record holds",
  I3: "only the current owner changes or removes a record",
  I4: "two executions of a key overlap only after the lock's end, and the later one sees a higher attempt",
  I5: "once faults stop, every key is answered within lock + margin + one retry",
  I6: "different principals, operations or keys never share a record, and another fingerprint changes nothing",
  I7: "a recorded step never runs again",
  I8: "of N redeemers of a token at most one executes",
  I9: "the caller sees the business error",
  I10: "no stored time is in the wrong unit",
  I11: "an unknown outcome never frees a key",
  I12: "a refusal says the truth",
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** What was seen to be broken. */
export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}
