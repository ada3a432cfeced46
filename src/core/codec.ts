import type { Encoded } from "./record.ts";

/** What a codec may bind an encoded value to (an encryption's context, an object's name). */
export interface CodecContext {
  readonly id: string;
}

/**
 * How a result becomes bytes and a value again. `encode` must take its snapshot of the value before
 * its first `await`: the caller may mutate the value afterwards. Bytes that it answers are copied at once, so that their
 * memory may serve again; those of a promise must stay until it has been heard. What `decode` gets is its own to change.
 *
 * `encode` throws `IdempotencyResultError` for what it cannot bring back equal; `decode` throws for
 * data or an encoding that it does not know, and never answers `undefined` in its place.
 */
export interface Codec {
  encode(value: unknown, context: CodecContext): Encoded | Promise<Encoded>;
  decode(encoded: Encoded, context: CodecContext): unknown;
}

/**
 * What a codec has made, or is to read, with bytes of its own: the codec may use the memory of its answer for the next
 * value, decode in place, or give out what it was given.
 *
 * @throws TypeError for what no codec may answer
 */
export function ownBytes(encoded: Encoded | undefined): Encoded {
  const { encoding, data } = encoded ?? {};
  if (typeof encoding === "string" && encoding !== "") {
    if (typeof data === "string") return { encoding, data };
    if (data instanceof Uint8Array) return { encoding, data: new Uint8Array(data) };
    if (encoding === "undefined" && data === undefined) return { encoding };
  }
  throw new TypeError("the codec's encode() answers no encoding, or no data as a string or bytes");
}
