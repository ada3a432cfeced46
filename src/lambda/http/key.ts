import type { IdempotencyKeyMissingError } from "../../core/refusals.ts";
import { unreadable } from "../../key/refusal.ts";

/** What a key in a header has to be. */
export interface KeyRules {
  /** The header's name, as errors show it. */
  readonly header: string;
  /** Only a quoted string, as the draft has it; a bare key is refused. */
  readonly strict: boolean;
  readonly minLength: number;
}

const LONGEST = 255;

/** RFC 8941, 3.3.3: a string in quotes, with its two escapes. */
const quoted = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
/** RFC 8941, 3.1.2: parameters that an item may have; none is known here, and unknown ones are ignored. */
const parameters = /(?:[ ]*;[ ]*[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|[^",; \t]+))?)*/y;
/** What most clients send. A comma is where a gateway has joined two headers. */
const bare = /[\x21\x23-\x2b\x2d-\x7e][\x21-\x2b\x2d-\x7e]*/y;
const space = /[ \t]*/y;

/**
 * The key in the values of its header; `undefined` where the header is absent. `"abc"` and a bare `abc` are one key,
 * and so are equal values of a header that was sent twice.
 *
 * @throws IdempotencyKeyMissingError with reason `'unreadable'`, never quoting the value
 */
export function readKey(values: readonly string[] | undefined, rules: KeyRules): string | undefined {
  if (values === undefined) return undefined;
  const keys = new Set(values.flatMap((value) => members(value, rules)));
  const [key] = keys;
  if (keys.size > 1) throw refusal(rules, "is given more than once, with different values");
  if (key === undefined || key.length < rules.minLength || key.length > LONGEST) {
    const length = key?.length ?? 0;
    throw refusal(rules, `has ${length} characters; allowed are ${rules.minLength} to ${LONGEST}`);
  }
  if (!/^[\x21-\x7e]+$/.test(key)) throw refusal(rules, "has a space in it; allowed are visible ASCII characters");
  return key;
}

/** The members of a list of strings and bare keys: payload 2.0 joins the values of a header by commas. */
function members(value: string, rules: KeyRules): string[] {
  const found: string[] = [];
  let at = skip(value, space, 0);
  if (at === value.length) return found;
  for (;;) {
    const [whole, inner] = matchAt(quoted, value, at) ?? [];
    if (whole !== undefined) {
      found.push((inner ?? "").replace(/\\(["\\])/g, "$1"));
      at = skip(value, parameters, at + whole.length);
    } else {
      const [key] = matchAt(bare, value, at) ?? [];
      if (key === undefined) throw refusal(rules, "is neither a quoted string nor visible ASCII characters");
      if (rules.strict) throw refusal(rules, 'is not a quoted string, as in "8e03978e-40d5-43e8-bc93-6894a57f9324"');
      found.push(key);
      at += key.length;
    }
    at = skip(value, space, at);
    if (at === value.length) return found;
    if (value[at] !== ",") throw refusal(rules, "has something after its key");
    at = skip(value, space, at + 1);
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

const skip = (text: string, pattern: RegExp, at: number): number => at + (matchAt(pattern, text, at)?.[0].length ?? 0);

const refusal = (rules: KeyRules, what: string): ReturnType<typeof unreadable> & IdempotencyKeyMissingError =>
  unreadable("key", `the header ${rules.header} ${what}`) as IdempotencyKeyMissingError;
