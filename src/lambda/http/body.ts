import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { IdempotencyConfigError } from "../../core/errors.ts";
import { parseJson, UnreadableText } from "../../key/json-text.ts";
import { unreadable } from "../../key/refusal.ts";
import { type HttpRequest, headerOf } from "./event.ts";

/**
 * What of a request's body two equal requests have in common: its JSON value where it is JSON, whatever the order of
 * its names, with every number as it was written; else, or where one object has a name twice, its bytes.
 *
 * @throws IdempotencyKeyMissingError (400) for JSON that nests too deep, and for numbers that a body parser has rounded
 */
export function comparableBody(request: HttpRequest, how: "canonical" | "raw"): unknown {
  const { event } = request;
  const body = event.rawBody ?? event.body;
  if (body === undefined || body === null || body === "") return ["none"];
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return parsedBefore(body, how);
  const bytes = bytesOf(body, event.isBase64Encoded === true);
  const value = how === "canonical" && isJson(request) ? jsonOf(bytes) : undefined;
  return value ?? ["bytes", createHash("sha256").update(bytes).digest("base64url")];
}

/** The body as text, for expressions such as `json(body).orderId`; what a parser has made of it where one has. */
export function bodyForSelectors({ event }: HttpRequest): unknown {
  const { body, isBase64Encoded } = event;
  return typeof body === "string" && isBase64Encoded === true ? Buffer.from(body, "base64").toString("utf8") : body;
}

function bytesOf(body: string | Uint8Array, isBase64Encoded: boolean): Uint8Array {
  return typeof body === "string" ? Buffer.from(body, isBase64Encoded ? "base64" : "utf8") : body;
}

const jsonType = /^[^/;\s]+\/(?:[^/;\s]+\+)?json[ \t]*(?:;|$)/i;

function isJson(request: HttpRequest): boolean {
  const encoding = headerOf(request, "content-encoding") ?? "identity";
  return jsonType.test(headerOf(request, "content-type")?.trim() ?? "") && encoding.toLowerCase() === "identity";
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

/** Whether some object of a JSON text has a name twice. Of such a text `JSON.parse` shows the last value only. */
export function hasNameTwice(json: string): boolean {
  /** The names of the objects around, the innermost last; `undefined` for a list. */
  const around: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === "{") around.push(new Set());
    else if (char === "[") around.push(undefined);
    else if (char === "}" || char === "]") around.pop();
    else if (char === '"') {
      const from = at;
      for (at++; json[at] !== '"'; at++) if (json[at] === "\\") at++;
      const names = around.at(-1);
      if (names === undefined || !isName(json, at + 1)) continue;
      const name = JSON.parse(json.slice(from, at + 1)) as string;
      if (names.has(name)) return true;
      names.add(name);
    }
  }
  return false;
}

/** Whether the string that ended before `at` is a name: a colon follows. */
function isName(json: string, at: number): boolean {
  let next = at;
  while (" \t\r\n".includes(json[next] ?? "x")) next++;
  return json[next] === ":";
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
  return ["json", body];
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
