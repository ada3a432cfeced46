import { hash } from "node:crypto";
import { CanonicalError, canonicalJson } from "../key/canonical.ts";
import { typed } from "./equality.ts";
import { refuse } from "./options.ts";

/**
 * The SHA-256 (base64url) of the RFC 8785 text of native values, each with its DynamoDB type: equal for values that
 * DynamoDB calls equal, and for no others.
 *
 * @throws IdempotencyConfigError for strings that are no Unicode text
 */
export function hashOf(by: string, option: string, values: unknown): string {
  try {
    return hash("sha256", canonicalJson(typed(values)), "base64url");
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error;
    return refuse(by, option, "one that has no canonical text", "strings without lone surrogates");
  }
}
