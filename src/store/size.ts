import type { Encoded } from "../core/record.ts";

/** The most that one DynamoDB item may hold, attribute names and values together. */
export const ITEM_LIMIT = 409_600;

/** At least what a completed record holds beside its id, owner and result: names, numbers, status, fingerprint. */
const REST = 512;

/** The bytes of the item that a result would make, a little too high rather than too low. */
export function completedSize({
  id,
  owner,
  result,
}: {
  readonly id: string;
  readonly owner: string;
  readonly result: Encoded;
}): number {
  return REST + bytesOf(id) + bytesOf(owner) + bytesOf(result.encoding) + bytesOf(result.data ?? "");
}

const bytesOf = (value: string | Uint8Array): number =>
  typeof value === "string" ? Buffer.byteLength(value) : value.byteLength;
