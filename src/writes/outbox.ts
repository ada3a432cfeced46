import { checkNames } from "../core/check.ts";
import { type Duration, show, toMillis } from "../core/duration.ts";
import type { Storable } from "../core/storable.ts";
import { after, ceilSeconds, nowOf } from "../core/time.ts";
import type { PartFacts, Write } from "../core/write.ts";
import { CanonicalError, canonicalJson } from "../key/canonical.ts";
import { absentIn, CANCELLED, type Cancelled, entityPart, fateOf, setAll } from "./entity-write.ts";
import { reservedKey } from "./key.ts";
import { checkText, refuse } from "./options.ts";
import type { AnyTable } from "./table.ts";

/** Something that has happened, to be told to others. */
export interface OutboxEvent<Data = unknown> {
  /** Stable: the same for the same happening, however often it is sent. The receivers' idempotency key. */
  readonly id: string;
  /** What happened, such as `OrderPaid`. */
  readonly type: string;
  /** When the write was made, in epoch milliseconds. */
  readonly time: number;
  /** JSON. */
  readonly data?: Data;
}

/** What became of an event: it goes out with the commit, or it had been queued by an earlier one, and nothing was written. */
export type OutboxOutcome = { readonly outcome: "queued" } | { readonly outcome: "duplicate" } | Cancelled;

export interface OutboxOptions<Data> {
  /** The table whose stream `publishOutbox()` reads: one of its own, or that of the entities. A sort key, where it has one, is text. */
  readonly table: AnyTable;
  /** The event's stable id, its type, and its data as JSON. */
  readonly event: { readonly id: string; readonly type: string; readonly data?: Data & Storable<Data> };
  /** When DynamoDB's TTL on `expiresAt` may delete the item. Default: 7 days. */
  readonly expiresAfter?: Duration | undefined;
}

/** The attribute that holds the event as JSON text; the stream's reader looks for it. */
export const OUTBOX = "outbox";
const EXPIRES_AT = "expiresAt";
const LONGEST_ID = 512;
const BY = "outbox()";

/**
 * A write that queues an event: it is sent exactly if the commit that it is part of is carried out. One item in the
 * transaction; `publishOutbox()` sends it from the table's stream.
 *
 * @throws IdempotencyConfigError for an event without id or type, and for data that is not JSON
 * @example
 * const told = outbox({ table: orders, event: { id: "o-1#paid", type: "OrderPaid", data: { orderId: "o-1" } } });
 */
export function outbox<Data>(options: OutboxOptions<Data>): Write<OutboxOutcome> {
  checkNames(BY, options, ["table", "event", "expiresAfter"]);
  const { table, event, expiresAfter = { days: 7 } } = options;
  const id = checkedEvent(event);
  const taken = table.key.find((name) => name === OUTBOX || name === EXPIRES_AT);
  if (taken !== undefined) refuse(BY, "the table's key", show(taken), `any but '${OUTBOX}' and '${EXPIRES_AT}'`);
  const time = nowOf(table.clock);
  const part = entityPart(table, {
    by: BY,
    verb: "put",
    key: reservedKey(table, "event", id, undefined),
    assignments: setAll({
      [OUTBOX]: textOf({ ...event, time }),
      [EXPIRES_AT]: ceilSeconds(after(time, toMillis(expiresAfter, "expiresAfter"))),
    }),
    condition: absentIn(table),
  });
  return {
    parts: [part],
    outcome([facts]: readonly PartFacts[]) {
      const { status } = fateOf(part, facts);
      if (status === "committed") return { outcome: "queued" };
      return status === "refused" ? { outcome: "duplicate" } : CANCELLED;
    },
  };
}

function checkedEvent(event: unknown): string {
  checkNames(`${BY} event`, event, ["id", "type", "data"]);
  const { id, type } = event as { readonly id: unknown; readonly type: unknown };
  const text = checkText(BY, "event.id", id, `a string of 1 to ${LONGEST_ID} characters`);
  if (text.length > LONGEST_ID) refuse(BY, "event.id", `${text.length} characters long`, `at most ${LONGEST_ID}`);
  checkText(BY, "event.type", type, "a string that is not empty");
  return text;
}

function textOf(event: OutboxEvent): string {
  try {
    return canonicalJson(event);
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error;
    return refuse(BY, "event", `one with ${error.message}`, "JSON");
  }
}
