import { type Encoded, type Found, type IdempotencyRecord, RECORD_VERSION } from "../core/record.ts";
import { type AttributeValue, data, type Item, number, text } from "./attributes.ts";
import { type ItemReader, itemReader } from "./reader.ts";

/** The item of a record: every attribute that the record has, in DynamoDB's own JSON. */
export function toItem(record: IdempotencyRecord): Item {
  const { fingerprint, expiresAt } = record;
  return {
    id: text(record.id),
    v: number(RECORD_VERSION),
    status: text(record.status),
    owner: text(record.owner),
    attempt: number(record.attempt),
    createdAt: number(record.createdAt),
    ...(fingerprint !== undefined && { fingerprint: text(fingerprint) }),
    ...(expiresAt !== undefined && { expiresAt: number(expiresAt) }),
    ...("lockedUntil" in record && { lockedUntil: number(record.lockedUntil) }),
    ...("steps" in record && { steps: stepsToAttribute(record.steps) }),
    ...("result" in record && { ...resultToItem(record.result), completedAt: number(record.completedAt) }),
  };
}

/** The attributes of a result. */
export function resultToItem({ encoding, data: bytes }: Encoded): Item {
  return { encoding: text(encoding), ...(bytes !== undefined && { result: data(bytes) }) };
}

function stepsToAttribute(steps: Readonly<Record<string, Encoded>>): AttributeValue {
  const entries = Object.entries(steps).map(([name, step]): [string, AttributeValue] => [name, stepToAttribute(step)]);
  return { M: Object.fromEntries(entries) };
}

/** A recorded step, as it stands in the item's map of steps. */
export const stepToAttribute = (step: Encoded): AttributeValue => ({
  M: { encoding: text(step.encoding), ...(step.data !== undefined && { data: data(step.data) }) },
});

/**
 * The record that an item holds; `undefined` for no item. Total: whatever is wrong with the item, its
 * version first, comes back as UNREADABLE under `id`, with the attribute's name and never its contents.
 */
export function fromItem(item: Item | undefined, id: string): Found {
  if (item === undefined) return undefined;
  const read = itemReader(item);
  read.version("v");
  read.text("id");
  const status = read.text("status");
  const base = {
    id,
    owner: read.text("owner"),
    attempt: status === "ISSUED" ? read.moment("attempt") : read.count("attempt"),
    createdAt: read.moment("createdAt"),
    fingerprint: read.has("fingerprint") ? read.text("fingerprint") : undefined,
  };
  const record = toRecord(status, base, read);
  const reason = read.reason();
  return reason === undefined && record !== undefined
    ? record
    : { status: "UNREADABLE", id, reason: reason ?? "the attribute status has an unknown value" };
}

type Base = Pick<IdempotencyRecord, "id" | "owner" | "attempt" | "createdAt" | "fingerprint">;

/** What is common goes last: V8 makes a class of objects anew for each one that is added to after a `...` it begins with. */
function toRecord(status: string, base: Base, read: ItemReader): IdempotencyRecord | undefined {
  switch (status) {
    case "IN_PROGRESS": {
      const expiresAt = read.has("expiresAt") ? read.seconds("expiresAt") : undefined;
      return { status, lockedUntil: read.millis("lockedUntil"), expiresAt, steps: read.steps("steps"), ...base };
    }
    case "ISSUED":
      return { status, expiresAt: read.seconds("expiresAt"), ...base };
    case "RELEASED":
      return { status, expiresAt: read.seconds("expiresAt"), steps: read.steps("steps"), ...base };
    case "COMPLETED":
    case "FAILED": {
      const times = { expiresAt: read.seconds("expiresAt"), completedAt: read.moment("completedAt") };
      return { status, ...times, result: read.result(), ...base };
    }
    default:
      return undefined;
  }
}
