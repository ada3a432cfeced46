import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { checkNames, refuseValue } from "../core/check.ts";
import type { Codec } from "../core/codec.ts";
import { IdempotencyResultError } from "../core/errors.ts";
import type { Encoded } from "../core/record.ts";
import { assertStorable } from "../core/storable.ts";

/** No text above this is compressed, and nothing is inflated beyond it. */
const LARGEST_TEXT = 16 * 1024 * 1024;

/** Options of `json()`. */
export interface JsonCodecOptions {
  /**
   * Results whose JSON is longer than this many bytes are compressed where that makes them smaller;
   * `Infinity` never compresses.
   *
   * @default 700
   */
  readonly compressAbove?: number;
}

/**
 * The default codec: a result is stored as JSON text, compressed by raw DEFLATE where that is smaller,
 * and plain data comes back equal. DynamoDB bills by size, and JSON text is smaller than its maps.
 *
 * Encoding throws `IdempotencyResultError` that names the path of what JSON would lose.
 *
 * @throws IdempotencyConfigError for an option that does not exist or cannot be used
 * @example
 * const placeOrder = idempotent(createOrder, { store, operation: "orders", codec: json({ compressAbove: 2_000 }) });
 */
export function json(options: JsonCodecOptions = {}): Codec {
  checkNames("json()", options, ["compressAbove"]);
  const compressAbove = options.compressAbove ?? 700;
  if (typeof compressAbove !== "number" || Number.isNaN(compressAbove) || compressAbove < 0) {
    refuseValue("compressAbove", compressAbove, "is a number of bytes, 0 or more");
  }
  return {
    encode(value) {
      if (value === undefined) return { encoding: "undefined" };
      assertStorable(value);
      return compact(stringify(value), compressAbove);
    },
    decode,
  };
}

function decode({ encoding, data }: Encoded): unknown {
  if (encoding === "undefined") return undefined;
  if (encoding === "json" && typeof data === "string") return JSON.parse(data);
  if (encoding === "json+deflate" && data instanceof Uint8Array) return JSON.parse(inflate(data));
  throw new TypeError(`no codec for the encoding '${encoding.slice(0, 60)}' of ${typeof data} data`);
}

const inflate = (data: Uint8Array): string => inflateRawSync(data, { maxOutputLength: LARGEST_TEXT }).toString("utf8");

/** The same result uncompressed, for who reads it more often than it is written; what is not of `json()` stays as it is. */
export function inflated(encoded: Encoded, codec: Codec): Encoded {
  const { encoding, data } = encoded;
  // A codec of somebody's own may call its encodings what it likes.
  if (codec.decode !== decode || encoding !== "json+deflate" || !(data instanceof Uint8Array)) return encoded;
  return { encoding: "json", data: inflate(data) };
}

/** A getter may answer differently the second time; what JSON cannot read then is refused like the rest. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    throw new IdempotencyResultError({ path: "$", detail: "a value that changes while it is read" });
  }
}

function compact(text: string, compressAbove: number): Encoded {
  if (text.length > compressAbove && text.length <= LARGEST_TEXT / 3) {
    const deflated = deflateRawSync(text);
    if (deflated.length < Buffer.byteLength(text)) return { encoding: "json+deflate", data: deflated };
  }
  return { encoding: "json", data: text };
}
