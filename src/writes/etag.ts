import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { kindOf } from "../core/plain.ts";
import { refuse } from "./options.ts";

/** What an `If-Match` header asks for. */
export type IfMatch =
  /** There is none: 428 where it is required. */
  | { readonly match: "missing" }
  /** It is not what RFC 9110 allows: 400. */
  | { readonly match: "invalid" }
  /** `*`: whatever version stands there. `version` is what `updateIfVersion()` takes. */
  | { readonly match: "any"; readonly version: "any" }
  /** One of these, in the header's order; of foreign tags alone none is left, and nothing matches: 412. */
  | { readonly match: "versions"; readonly version: readonly number[] };

export interface EtagOptions {
  /** `W/"3"`: equal in meaning, not byte for byte. Default: strong, `"3"`. */
  readonly weak?: boolean | undefined;
  /** The item's attribute that holds the version. Default: `version`. */
  readonly attribute?: string | undefined;
}

/**
 * The entity tag of a version, or of an item's version: the value of the header `ETag`.
 *
 * @throws IdempotencyConfigError where there is no version
 * @example
 * const headers = { etag: etagOf(3) };
 */
export function etagOf(itemOrVersion: number | object, options: EtagOptions = {}): string {
  const BY = "etagOf()";
  checkNames(BY, options, ["weak", "attribute"]);
  const { weak = false, attribute = "version" } = options;
  const isItem = typeof itemOrVersion === "object" && itemOrVersion !== null && Object.hasOwn(itemOrVersion, attribute);
  const version: unknown = isItem ? (itemOrVersion as Record<string, unknown>)[attribute] : itemOrVersion;
  if (!Number.isSafeInteger(version) || Number(version) < 1) {
    const given = typeof version === "number" ? show(version) : kindOf(version);
    refuse(BY, "the version", given, `a whole number from 1, or an item that has one as ${show(attribute)}`);
  }
  return `${weak ? "W/" : ""}"${String(version)}"`;
}

/** One member of the list: an entity tag by RFC 9110, 8.8.3, or nothing between two commas. */
const MEMBER = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\uffff]*)"[ \t]*)?(,|$)/y;
/** How `etagOf()` writes a version. */
const VERSION = /^[1-9]\d{0,15}$/;
/** Far more than a client that knows one or two versions sends. */
const MOST_TAGS = 100;

/**
 * The versions that an `If-Match` header allows, weak tags like strong ones: gateways that compress weaken a tag, and
 * a version says the same either way. `{ weak: false }` leaves weak tags out, as RFC 9110 has it.
 *
 * @example
 * const wanted = versionFrom(ifMatch);
 * const status = wanted.match === "missing" ? 428 : wanted.match === "invalid" ? 400 : undefined;
 */
export function versionFrom(
  ifMatch: string | readonly string[] | null | undefined,
  options: { readonly weak?: boolean | undefined } = {},
): IfMatch {
  checkNames("versionFrom()", options, ["weak"]);
  const header = (Array.isArray(ifMatch) ? ifMatch.join(",") : ifMatch) as unknown;
  if (header === undefined || header === null) return { match: "missing" };
  if (typeof header !== "string") return { match: "invalid" };
  if (/^[ \t]*\*[ \t]*$/.test(header)) return { match: "any", version: "any" };
  const tags = tagsOf(header);
  if (tags === undefined || tags.length === 0) return { match: "invalid" };
  const versions = tags
    .filter(({ weak, tag }) => (options.weak !== false || !weak) && VERSION.test(tag))
    .map(({ tag }) => Number(tag))
    .filter(Number.isSafeInteger);
  return { match: "versions", version: [...new Set(versions)] };
}

/** `undefined` for what is no list of entity tags. */
function tagsOf(header: string): { readonly weak: boolean; readonly tag: string }[] | undefined {
  const tags: { weak: boolean; tag: string }[] = [];
  MEMBER.lastIndex = 0;
  for (let end = ","; end === ","; ) {
    const found = MEMBER.exec(header);
    if (found === null || tags.length > MOST_TAGS) return undefined;
    const [, weak, tag] = found;
    if (tag !== undefined) tags.push({ weak: weak !== undefined, tag });
    end = found[3] as string;
  }
  return tags.length > MOST_TAGS ? undefined : tags;
}
