import { hash } from "node:crypto";
import { partText } from "../key/identity.ts";
import { exactText, parseJson, UnreadableText } from "../key/json-text.ts";
import { unreadable } from "../key/refusal.ts";
import { compileSelection } from "../key/selection.ts";
import { textOf } from "./body.ts";

const LONGEST = 255;

/**
 * Reads a delivery's id from its JSON body. Texts and numbers are themselves; of lists and objects it is the hash.
 *
 * @throws IdempotencyConfigError at once for an expression that is wrong
 * The reader throws IdempotencyKeyMissingError (400, never let pass) where the body is not JSON or lacks the id, or a part of it.
 */
export function idInBody(expression: string, option: string): (body: Uint8Array) => string {
  const selection = compileSelection(expression, option);
  return (body) => {
    const value = selection.select(jsonOf(body));
    if (selection.missingPart(value) !== undefined) {
      throw unreadable("key", `the delivery is signed, and its body has no \`${expression}\` to tell it by`);
    }
    const text = typeof value === "string" ? value : partText(value, "key");
    const isPlain = typeof value !== "object" || exactText(value) !== undefined;
    return isPlain && text.length <= LONGEST ? text : hash("sha256", text, "base64url");
  };
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return parseJson(textOf(body) ?? "");
  } catch (error) {
    if (!(error instanceof UnreadableText)) throw error;
    throw unreadable("key", `the delivery is signed, and its body cannot be read: ${error.message}`);
  }
}
