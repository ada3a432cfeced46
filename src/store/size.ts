import type { Encoded } from "../core/record.ts";
import type { AttributeValue, Item } from "./attributes.ts";

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

/** The bytes of an attribute's value, by DynamoDB's rule of thumb and rather too high. */
function sizeOf(value: AttributeValue): number {
  const [inner] = Object.values(value) as [unknown];
  return 3 + sizeOfInner(inner);
}

function sizeOfInner(inner: unknown): number {
  if (typeof inner === "string") return Buffer.byteLength(inner);
  if (inner instanceof Uint8Array) return inner.byteLength;
  if (Array.isArray(inner)) {
    const sizes = inner.map((one) => 1 + (isRaw(one) ? sizeOf(one) : sizeOfInner(one)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }
  if (typeof inner === "object" && inner !== null) return itemSize(inner as Item);
  return 1;
}

const isRaw = (one: unknown): one is AttributeValue =>
  typeof one === "object" && one !== null && !(one instanceof Uint8Array);

/** The bytes of an item: its names and values. */
export const itemSize = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value) + 1, 0);
