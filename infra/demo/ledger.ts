import { randomUUID } from "node:crypto";

/** One business effect. Every execution that takes effect appends one, so that counting entries counts effects. */
export interface Entry {
  readonly entryId: string;
  /** The order or payment that the entry is about. */
  readonly reference: string;
  /** In the currency's smallest unit. */
  readonly amount: number;
}

const TableName = process.env["LEDGER_TABLE"] ?? "ledger";

/** A new entry, whatever stands there already: what commits it twice books twice. */
export function newEntry(reference: string, amount: number): Entry {
  return { entryId: randomUUID(), reference, amount };
}

/** The write that books an entry, to be committed with the result of the function. */
export const booking = (entry: Entry) => ({ Put: { TableName, Item: entry } });
