import type { Seen } from "./sender.ts";

/** One step of the demo, and what must come of it. */
export interface Step {
  readonly sent: string;
  readonly why: string;
  /** How many entries the ledger must have more after it. */
  readonly booked: number;
  /** What the sender must see. */
  readonly answer: string;
  /** Carries the step out and says what the sender saw. */
  carryOut(): Promise<string>;
}

/** What a customer sees of an answer. */
export const told = ({ status, replayed }: Seen): string => `${status}${replayed ? ", replayed" : ""}`;
