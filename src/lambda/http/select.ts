import { IdempotencyConfigError, isIdempotencyError } from "../../core/errors.ts";
import { unreadable } from "../../key/refusal.ts";
import { compileSelection } from "../../key/selection.ts";
import { bodyForSelectors } from "./body.ts";
import type { HttpRequest } from "./event.ts";

/** Reads one part of a request; `undefined` where it, or a part of it, is missing. */
export type Read = (request: HttpRequest) => unknown;

/**
 * Compiles what a user gave for `key` or `principal`. A function gets the event as it is. An expression reads the
 * event with its headers under any spelling of their names, and the body as text, decoded where it is base64.
 *
 * `headers` are values to put in the place of the request's own: the idempotency key without its quotes.
 *
 * @throws IdempotencyConfigError at once for an expression that is wrong
 */
export function compileRead(
  source: string | ((event: never) => unknown),
  part: "key" | "principal",
  headers: Readonly<Record<string, Read>> = {},
): Read {
  if (typeof source === "function") return (request) => callRead(source, part, request);
  const selection = compileSelection(source, part);
  const names = new Set(
    (source.match(/"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*/g) ?? []).map((name) => name.replaceAll('"', "")),
  );
  return (request) => {
    const view = {
      ...request.event,
      headers: headersFor(names, part, request, headers),
      body: bodyForSelectors(request),
    };
    const value = selection.select(view);
    if (selection.missingPart(value) === undefined) return value;
    const slip = selection.slipIn(view);
    if (slip !== undefined) throw unreadable(part, `\`${source}\` finds nothing; ${slip}`);
    return undefined;
  };
}

/** All headers in lower case, and those that the expression names as it spells them. */
function headersFor(
  names: ReadonlySet<string>,
  part: string,
  request: HttpRequest,
  replaced: Readonly<Record<string, Read>>,
): Readonly<Record<string, unknown>> {
  const shown = new Map<string, unknown>(Array.from(request.headers, ([name, values]) => [name, values.join(", ")]));
  for (const name of names) {
    const lower = name.toLowerCase();
    const values = request.headers.get(lower);
    if (values === undefined) continue;
    const read = replaced[lower];
    if (read === undefined && values.length > 1) {
      throw unreadable(part, `the header ${lower} is given more than once, with different values`);
    }
    const value = read === undefined ? values[0] : read(request);
    shown.set(lower, value);
    shown.set(name, value);
  }
  return Object.fromEntries(shown);
}

function callRead(select: (event: never) => unknown, part: string, request: HttpRequest): unknown {
  let value: unknown;
  try {
    value = select(request.event as never);
  } catch (error) {
    if (isIdempotencyError(error)) throw error;
    throw unreadable(part, `the ${part} function throws`, error);
  }
  if (typeof (value as { then?: unknown } | null | undefined)?.then !== "function") return value;
  if (value instanceof Promise) value.catch(() => undefined);
  throw new IdempotencyConfigError(`${part} is a function that returns a promise; allowed is a synchronous one`);
}
