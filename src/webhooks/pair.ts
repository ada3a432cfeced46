import { createHash } from "node:crypto";
import { refuseValue } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { isPlainObject } from "../core/plain.ts";
import { malformed, onlyHeader } from "./headers.ts";
import { idInBody } from "./id-in-body.ts";
import { digestOf, hmacs, type Scheme, type SignatureEncoding } from "./scheme.ts";

/** A sender of its own ways: a timestamp (whole seconds) and an HMAC-SHA-256 in two headers, named in any letter case. */
export interface SignedHeaders {
  /** The header of the time, in whole seconds since 1970. */
  readonly timestamp: string;
  /** The header of the signature. */
  readonly signature: string;
  /** The header of the delivery's id. It has to be signed, too: anybody can send a signed body again under another id. */
  readonly id?: string;
  /** Where the body, as JSON, has the id instead: a JMESPath expression. `'@'`: equal bodies are one delivery. */
  readonly idInBody?: string;
  /**
   * The text that is signed. Ends in `{body}`, names `{timestamp}`, and `{id}` where there is one. Default:
   * `'{timestamp}.{body}'`, with an `id` `'{id}.{timestamp}.{body}'`.
   */
  readonly signed?: string;
  /** How the signature is spelled. Default: `'hex'`. */
  readonly encoding?: SignatureEncoding;
  /** What stands before the signature in its header, such as `'v0='`. Default: nothing. */
  readonly prefix?: string;
}

const KNOWN: readonly string[] = ["timestamp", "signature", "id", "idInBody", "signed", "encoding", "prefix"];

/**
 * A timestamp and a signature in headers of any names. The delivery's id comes from what is signed: its header where that is
 * signed, an expression over the body, or the hash of all signed content.
 *
 * @throws IdempotencyConfigError for what is wrong, among it an id that nothing signs
 */
export function pairScheme(given: unknown, secrets: readonly Uint8Array[]): Scheme {
  const { timestamp, signature, id, idInBody: expression, template, encoding, prefix } = readSignedHeaders(given);
  const inBody = expression === undefined ? undefined : idInBody(expression, "scheme.idInBody");
  return {
    read(headers) {
      const sent = onlyHeader(headers, signature);
      const digest = sent.startsWith(prefix) ? digestOf(sent.slice(prefix.length), encoding) : undefined;
      if (digest === undefined) throw malformed(`the header ${signature} is no HMAC-SHA-256 in ${encoding}`);
      const claimed = { timestamp: onlyHeader(headers, timestamp), signatures: [digest] };
      return id === undefined ? claimed : { ...claimed, id: idOf(onlyHeader(headers, id), id, template) };
    },
    expected: (claimed, body) => hmacs(secrets, fill(template, claimed), body),
    idOf(claimed, body) {
      if (inBody !== undefined) return inBody(body);
      return claimed.id ?? createHash("sha256").update(fill(template, claimed)).update(body).digest("base64url");
    },
  };
}

/** What stands before the body, in its order. */
type Template = readonly ({ readonly text: string } | { readonly part: "id" | "timestamp" })[];

const fill = (template: Template, claimed: { readonly timestamp: string; readonly id?: string }): string =>
  template.map((piece) => ("text" in piece ? piece.text : (claimed[piece.part] ?? ""))).join("");

/** What follows the id must not be in it: the rest of the id would be taken for what comes next. */
function idOf(value: string, header: string, template: Template): string {
  const next = template[template.findIndex((piece) => "part" in piece && piece.part === "id") + 1];
  const separator = next !== undefined && "text" in next ? next.text.charAt(0) : "";
  if (!/^[\x21-\x7e]{1,255}$/.test(value) || value.includes(separator)) {
    throw malformed(`the header ${header} is not 1 to 255 visible ASCII characters without ${show(separator)}`);
  }
  return value;
}

function readSignedHeaders(given: unknown) {
  const allowed = "is 'standard', 'stripe', or { timestamp, signature, id?, idInBody?, signed?, encoding?, prefix? }";
  if (!isPlainObject(given)) return refuseValue("scheme", given, allowed);
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) refuse(`scheme has no part ${show(name)}; allowed ${allowed}`);
  }
  const { encoding = "hex", prefix = "", idInBody: expression } = given;
  const id = given["id"] === undefined ? undefined : headerName(given["id"], "id");
  if (encoding !== "hex" && encoding !== "base64") {
    return refuseValue("scheme.encoding", encoding, "are 'hex' and 'base64'");
  }
  if (typeof prefix !== "string" || !/^[\x21-\x7e]*$/.test(prefix)) {
    return refuseValue("scheme.prefix", prefix, "are visible ASCII characters");
  }
  if (expression !== undefined && id !== undefined) {
    return refuse("scheme has both id and idInBody; a delivery has one id");
  }
  return {
    timestamp: headerName(given["timestamp"], "timestamp"),
    signature: headerName(given["signature"], "signature"),
    id,
    idInBody: expression as string | undefined,
    template: templateOf(given["signed"] ?? (id === undefined ? "{timestamp}.{body}" : "{id}.{timestamp}.{body}"), id),
    encoding: encoding as SignatureEncoding,
    prefix,
  };
}

/** Unambiguous: no two of time, id and body make the same text, since what stands between them is in none of the first. */
function templateOf(signed: unknown, id: string | undefined): Template {
  const bad = (why: string): never =>
    refuse(`scheme.signed is ${show(signed)}; ${why}, as in '{timestamp}.{body}' or '{id}.{timestamp}.{body}'`);
  if (typeof signed !== "string" || !signed.endsWith("{body}")) return bad("it has to end in {body}");
  const pieces = signed.slice(0, -"{body}".length).split(/(\{\w*\})/);
  const parts = pieces.filter((_, at) => at % 2 === 1);
  const names = parts.join("");
  if (id !== undefined && !names.includes("{id}")) {
    return bad(
      `the header ${id} is not in it, so that anybody could send a signed body again under another id; sign it, or take the id from the body (idInBody)`,
    );
  }
  const wanted = id === undefined ? ["{timestamp}"] : ["{id}{timestamp}", "{timestamp}{id}"];
  if (!wanted.includes(names))
    return bad(
      `it has to name {timestamp}${id === undefined ? "" : " and {id}"} once, before {body}, and nothing else`,
    );
  if (pieces.some((text, at) => at > 0 && at % 2 === 0 && !/^[^\dA-Za-z{}]/.test(text))) {
    return bad("a sign such as '.' has to stand behind each part");
  }
  return pieces.flatMap((text, at): Template => {
    if (at % 2 === 0) return text === "" ? [] : [{ text }];
    return [{ part: text === "{id}" ? "id" : "timestamp" }];
  });
}

function headerName(given: unknown, part: string): string {
  if (typeof given === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(given)) return given;
  return refuseValue(`scheme.${part}`, given, "is the name of a header");
}

function refuse(sentence: string): never {
  throw new IdempotencyConfigError(sentence);
}
