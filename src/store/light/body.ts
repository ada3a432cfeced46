/** A surrogate without its other half: `JSON.stringify` writes it as an escape, and nothing else as one that begins so. */
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** Where an answer may hold bytes. Inside a string the quotes would be escaped. */
const BYTES = /"BS?"\s*:/;

/**
 * The text of a request, bytes as base64. A lone surrogate is refused: DynamoDB stores UTF-8, which has none, and
 * does not say what becomes of one.
 */
export function toBody(input: object): string {
  const body = JSON.stringify(withBase64(input));
  if (body.includes("\\ud") && LONE_SURROGATE.test(body)) {
    throw Object.assign(new Error("a string of the request holds half of a character (a lone surrogate)"), {
      name: "SerializationException",
    });
  }
  return body;
}

/** What the text of an answer says, base64 as bytes. */
export function fromBody(body: string): unknown {
  const value: unknown = JSON.parse(body);
  if (BYTES.test(body)) restoreBytes(value);
  return value;
}

/** The value itself where it holds no bytes; else a copy, as far as needed. */
function withBase64(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  }
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString("base64");
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[name];
    const sendable = withBase64(inner);
    if (sendable === inner) continue;
    // A spread makes an own `__proto__` of one, so that setting it then changes no prototype.
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[name] = sendable;
  }
  return copy ?? value;
}

/** In place. Only an attribute's value has text under `B`: under an attribute that is named B stands an object. */
function restoreBytes(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const { B, BS } = value as { B?: unknown; BS?: unknown };
  if (typeof B === "string") Object.assign(value, { B: bytesOf(B) });
  else if (Array.isArray(BS)) Object.assign(value, { BS: BS.map(bytesOf) });
  else for (const inner of Object.values(value)) restoreBytes(inner);
}

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));
