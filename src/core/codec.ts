import type { Encoded } from "./record.ts";

/** What a codec may bind an encoded value to (an encryption's context, an object's name). */
export interface CodecContext {
  readonly id: string;
}

/**
 * How a result becomes bytes and a value again. `encode` must take its snapshot of the value before
 * its first `await`: the caller may mutate the value afterwards.
 *
 * `encode` throws `IdempotencyResultError` for what it cannot bring back equal; `decode` throws for
 * data or an encoding that it does not know, and never answers `undefined` in its place.
 */
export interface Codec {
  encode(value: unknown, context: CodecContext): Encoded | Promise<Encoded>;
  decode(encoded: Encoded, context: CodecContext): unknown;
}
