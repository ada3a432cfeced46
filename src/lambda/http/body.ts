import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { IdempotencyConfigError } from "../../core/errors.ts";
import { parseJson, UnreadableText } from "../../key/json-text.ts";
import { unreadable } from "../../key/refusal.ts";
import { type HttpEvent, type HttpRequest, headerOf } from "./event.ts";
import { hasNameTwice } from "./name-twice.ts";

/**
 * What of a request's body two equal requests have in common: its JSON value where it is JSON, whatever the order of
 * its names, with every number as it was written; else, or where one object has a name twice, its bytes. What a parser has
 * made of a body is never the same as a text: a string that was JSON may look like the text of another value.
 *
 * @throws IdempotencyKeyMissingError (400) for JSON that nests too deep, and for numbers that a body parser has rounded
 */
export function comparableBody(request: HttpRequest, how: "canonical" | "raw"): unknown {
  const { event } = request;
  const body = event.rawBody ?? event.body;
  if (body === undefined || body === "") return ["none"];
  // API Gateway's word for no body (payload 1.0), and a parser's for the JSON text `null`: no text is either.
  if (body === null) return ["parsed", null];
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return parsedBefore(body, how);
  const bytes = typeof body === "string" ? bytesOf(body, event) : body;
  if (bytes === undefined || (how === "canonical" && isAnotherLength(request, bytes))) return ["parsed", body];
  const value = how === "canonical" && isJson(request) ? jsonOf(bytes) : undefined;
  return value ?? ["bytes", createHash("sha256").update(bytes).digest("base64url")];
}

/** The body as text, for expressions such as `json(body).orderId`; what a parser has made of it where one has. */
export function bodyForSelectors({ event }: HttpRequest): unknown {
  const { body, isBase64Encoded } = event;
  if (typeof body !== "string" || isBase64Encoded !== true) return body;
  return decoded(body)?.toString("utf8") ?? body;
}

/** `undefined` for what says that it is base64 and is not: a parser has decoded it and left its mark behind. */
function bytesOf(body: string, { isBase64Encoded }: HttpEvent): Buffer | undefined {
  if (isBase64Encoded === true) return decoded(body);
  // UTF-8 has one sign for every half of a surrogate pair.
  return Buffer.from(body, /\p{Surrogate}/u.test(body) ? "utf16le" : "utf8");
}

function decoded(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, "base64");
  return bytes.toString("base64") === base64 ? bytes : undefined;
}

/** A JSON string that a parser has read is not as long as the client said. */
function isAnotherLength(request: HttpRequest, bytes: Uint8Array): boolean {
  const length = headerOf(request, "content-length") ?? "";
  return (
    typeof request.event.body === "string" &&
    request.event.rawBody === undefined &&
    isJson(request) &&
    /^\d+$/.test(length) &&
    Number(length) !== bytes.length
  );
}

const jsonType = /^[^/;\s]+\/(?:[^/;\s]+\+)?json$/;

function isJson(request: HttpRequest): boolean {
  const [type, encoding] = bodyType(request);
  return jsonType.test(type ?? "") && (encoding ?? "identity") === "identity";
}

/** How the body is to be read: its media type without parameters, and its encoding, in lower case; `null` where absent. */
export function bodyType(request: HttpRequest): readonly [type: string | null, encoding: string | null] {
  const type = headerOf(request, "content-type")?.split(";")[0]?.trim().toLowerCase();
  const encoding = headerOf(request, "content-encoding")?.trim().toLowerCase();
  return [type ?? null, encoding === "identity" ? null : (encoding ?? null)];
}

/** `undefined` for bytes that are not JSON, and for JSON whose readers may disagree about what it says. */
function jsonOf(bytes: Uint8Array): readonly ["json", unknown] | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
  try {
    const value = parseJson(text);
    return hasNameTwice(text) ? undefined : ["json", value];
  } catch (error) {
    if (!(error instanceof UnreadableText)) throw error;
    if (isJsonText(text)) throw unreadable("fingerprint", `the body cannot be compared: ${error.message}`);
    return undefined;
  }
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The text is gone: what it said is known only as far as the parser has kept it. */
function parsedBefore(body: unknown, how: "canonical" | "raw"): unknown {
  const mend = "keep the text in event.rawBody before the body parser runs";
  if (how === "raw") {
    throw new IdempotencyConfigError(`fingerprint is 'raw' and the body was parsed before http() saw it; ${mend}`);
  }
  if (hasRoundedInteger(body)) {
    throw unreadable(
      "fingerprint",
      `the body was parsed before, and holds an integer beyond 2^53 that was rounded; ${mend}`,
    );
  }
  return ["parsed", body];
}

function hasRoundedInteger(body: unknown): boolean {
  const left: unknown[] = [body];
  const seen = new Set<unknown>();
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) return true;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const part of Object.values(value)) left.push(part);
  }
  return false;
}
