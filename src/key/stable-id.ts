import { createHash } from "node:crypto";

/** The name space of all of these UUIDs (RFC 9562, 5.5): a random UUID, made once for this library. */
const NAMESPACE = Buffer.from("6f1d7c1e2b0a4f0f9b4d5a0c8e3f7a21", "hex");

/**
 * A version 5 UUID of a record and a name: the same in every attempt, in every process and after the record has
 * expired; different for every operation, principal, key and name, which the record's id is made of. What it is made
 * of cannot be read from it.
 *
 * @example
 * stableId("place-order#x3Jq", "charge"); // "…-…-5…-…-…", the same every time
 */
export function stableId(record: string, name: string): string {
  // A record's id has no line break, so that no two pairs are the same text.
  const hash = createHash("sha1").update(NAMESPACE).update(`${record}\n${name}`).digest();
  return uuid(hash.subarray(0, 16), 5);
}

/** The UUID of a version that these 16 bytes make; overwrites some of them. */
export function uuid(bytes: Buffer, version: number): string {
  bytes[6] = ((bytes[6] as number) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
