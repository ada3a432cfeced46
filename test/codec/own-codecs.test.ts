import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type Codec, idempotent, memoryStore } from "lambda-once";
import { describe, expect, it } from "vitest";

const CACHE = { entries: 10, bytes: 10_000 };
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const parsed = (data: unknown): unknown => JSON.parse(new TextDecoder().decode(data as Uint8Array));
const place = (codec: Codec, cache: false | typeof CACHE) =>
  idempotent(async ({ id }: { id: string }) => ({ placed: id }), {
    ...{ store: memoryStore(), operation: "place", key: "id", codec, cache },
  });

/** Encodes into one buffer, again and again. */
function reusing(): Codec {
  const buffer = new Uint8Array(1_000);
  return {
    encode(value) {
      const encoded = bytesOf(value);
      buffer.set(encoded);
      return { encoding: "mine", data: buffer.subarray(0, encoded.length) };
    },
    decode: ({ data }) => parsed(data),
  };
}

// each seen by a reviewer
describe("bytes of a codec of one's own", () => {
  it("that it uses again are each stored under their own key", async () => {
    const call = place(reusing(), false);
    await Promise.all([call({ id: "a" }), call({ id: "b" })]);
    expect(await call({ id: "a" })).toStrictEqual({ placed: "a" });
    expect(await call({ id: "b" })).toStrictEqual({ placed: "b" });
  });

  it("that it uses again stay what they were in the cache", async () => {
    const call = place(reusing(), CACHE);
    await call({ id: "a" });
    await call({ id: "b" });
    expect(await call({ id: "a" })).toStrictEqual({ placed: "a" });
  });

  it("that it gives out as they are, are no caller's to change for the next one", async () => {
    const codec: Codec = {
      encode: (value) => ({ encoding: "bytes", data: value as Uint8Array }),
      decode: ({ data }) => data,
    };
    // biome-ignore lint/suspicious/noExplicitAny: what is no JSON is refused by the types.
    const pdf = idempotent(async (_: { id: string }): Promise<any> => Uint8Array.of(1, 2, 3), {
      ...{ store: memoryStore(), operation: "pdf", key: "id", codec, cache: CACHE },
    });
    await pdf({ id: "a" });
    (await pdf({ id: "a" })).fill(0);
    expect(await pdf({ id: "a" })).toStrictEqual(Uint8Array.of(1, 2, 3));
  });

  it("that it decodes in place can be decoded again", async () => {
    const flip = (data: Uint8Array): Uint8Array => {
      data.forEach((byte, at) => {
        data[at] = byte ^ 0x55;
      });
      return data;
    };
    const codec: Codec = {
      encode: (value) => ({ encoding: "xor", data: flip(bytesOf(value)) }),
      decode: ({ data }) => parsed(flip(data as Uint8Array)),
    };
    const call = place(codec, CACHE);
    for (let at = 0; at < 3; at++) expect(await call({ id: "a" })).toStrictEqual({ placed: "a" });
  });

  it("come back under the encoding that it gave, though json() has one of that name", async () => {
    const codec: Codec = {
      encode: (value) => ({ encoding: "json+deflate", data: deflateRawSync(JSON.stringify(value)) }),
      decode({ encoding, data }) {
        if (encoding !== "json+deflate") throw new TypeError(`unknown encoding ${encoding}`);
        return JSON.parse(inflateRawSync(data as Uint8Array).toString());
      },
    };
    const call = place(codec, CACHE);
    await call({ id: "a" });
    expect(await call({ id: "a" })).toStrictEqual({ placed: "a" });
  });
});
