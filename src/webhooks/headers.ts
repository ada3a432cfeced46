import { IdempotencySignatureError } from "../core/refusals.ts";

/** Headers as a server or a test has them: a plain object of values or lists in any letter case, `Headers`, or pairs. */
export type WebhookHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [name: string, value: string]>;

/** The different values of each header, by its name in lower case. */
export type HeaderValues = ReadonlyMap<string, ReadonlySet<string>>;

/** What all these headers say together. API Gateway (payload 1.0) gives each header twice: its last value, and a list of all. */
export function readHeaders(...given: readonly unknown[]): HeaderValues {
  const found = new Map<string, Set<string>>();
  for (const headers of given) {
    for (const pair of entriesOf(headers)) {
      const [name, value] = Array.isArray(pair) ? pair : [];
      for (const one of Array.isArray(value) ? value : [value]) {
        if (typeof one !== "string") continue;
        const key = String(name).toLowerCase();
        found.set(key, (found.get(key) ?? new Set()).add(one));
      }
    }
  }
  return found;
}

/**
 * The one value of a header. Two different ones are refused: what signs and what reads might not take the same.
 *
 * @throws IdempotencySignatureError where it is missing, empty, or there twice with different values
 */
export function onlyHeader(headers: HeaderValues, name: string): string {
  const values = headers.get(name.toLowerCase());
  const [value = ""] = values ?? [];
  if (values !== undefined && values.size > 1) throw malformed(`the header ${name} has different values`);
  if (value === "") throw new IdempotencySignatureError({ reason: "missing", detail: `the header ${name} is missing` });
  return value;
}

/** The refusal of what is no signature at all, whatever the secret. */
export const malformed = (detail: string): IdempotencySignatureError =>
  new IdempotencySignatureError({ reason: "malformed", detail });

function entriesOf(headers: unknown): Iterable<unknown> {
  if (typeof headers !== "object" || headers === null) return [];
  return Symbol.iterator in headers ? (headers as Iterable<unknown>) : Object.entries(headers);
}
