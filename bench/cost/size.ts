import type { AttributeValue } from "@aws-sdk/client-dynamodb";

type Item = Readonly<Record<string, AttributeValue>>;

/** The bytes by which DynamoDB bills an item: names and values. */
export const sizeOf = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);

/** Units of a write of so many bytes. */
export const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1_024));

/** Blocks of 4 kB that a read of so many bytes takes. */
export const readBlocks = (bytes: number): number => Math.max(1, Math.ceil(bytes / 4_096));

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.byteLength;
  // Two digits take a byte, and the number's exponent another one.
  if (value.N !== undefined) return Math.ceil(value.N.replace(/\D|0+$/g, "").length / 2) + 1;
  if (value.L !== undefined) return value.L.reduce((sum, one) => sum + 1 + valueSize(one), 3);
  if (value.M !== undefined) return sizeOf(value.M) + Object.keys(value.M).length + 3;
  return 1;
}
