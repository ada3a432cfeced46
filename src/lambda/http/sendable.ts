import { IdempotencyResultError } from "../../core/errors.ts";
import { isPlainObject, kindOf, pathOf } from "../../core/plain.ts";

/** Headers as a handler gives them. */
export type Headers = Readonly<Record<string, unknown>>;

/** A response as API Gateway, function URLs and load balancers take it. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers?: Headers;
  readonly multiValueHeaders?: Headers;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  readonly statusDescription?: string;
  /** Payload 2.0: never stored. */
  readonly cookies?: readonly string[];
}

/**
 * Checks what a response sends besides its body, whether it is remembered or not.
 *
 * @throws IdempotencyResultError for a line break in a header, a cookie or the status, and for headers that are no plain object
 */
export function checkSendable(response: HttpResponse): void {
  for (const place of ["headers", "multiValueHeaders"] as const) {
    const headers: unknown = response[place];
    if (headers === undefined || headers === null) continue;
    if (!isPlainObject(headers)) {
      const detail = `${kindOf(headers)}, where a plain object of headers is allowed,`;
      throw new IdempotencyResultError({ path: pathOf([place]), detail });
    }
    for (const [name, value] of Object.entries(headers)) refuseLineBreaks([place, name], [name, value]);
  }
  for (const place of ["cookies", "statusDescription", "statusCode"] as const) {
    refuseLineBreaks([place], response[place]);
  }
}

/** A line break would end the header, and what follows would be another one, or the body. */
function refuseLineBreaks(place: readonly string[], value: unknown): void {
  if (hasLineBreak(value)) throw new IdempotencyResultError({ path: pathOf(place), detail: "a line break" });
}

const DEEPEST_HEADER = 8;

function hasLineBreak(value: unknown, depth = 0): boolean {
  if (typeof value === "string") return /[\r\n\0]/.test(value);
  if (typeof value !== "object" || value === null) return false;
  // No header nests; what nests deeper than this may be a ring, and is not looked through.
  return (
    depth > DEEPEST_HEADER ||
    Object.entries(value)
      .flat()
      .some((part) => hasLineBreak(part, depth + 1))
  );
}
