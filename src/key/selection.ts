import { refuseValue } from "../core/check.ts";
import { parseExpression } from "./check.ts";
import { interpreter, isNothing, lackedPart } from "./interpreter.ts";
import { UnreadableText } from "./json-text.ts";
import { unreadable } from "./refusal.ts";
import { findStringSlip } from "./slip.ts";

/** A compiled JMESPath expression. */
export interface Selection {
  readonly expression: string;
  /**
   * What the expression finds in `input`, `null` or `undefined` where nothing.
   *
   * @throws IdempotencyKeyMissingError with reason `'unreadable'` (for a principal: IdempotencyPrincipalMissingError)
   * where it cannot be evaluated, as `json()` of what is not JSON. No part of the input is in the message.
   */
  select(input: unknown): unknown;
  /**
   * The first part that a selected value lacks: the whole expression where the value is `undefined`, `null`
   * or `''`, a part such as `tenant` where a multi-select (also an inner one) has such a part. `undefined`
   * where it is complete; nulls inside data that was merely selected are data.
   */
  missingPart(value: unknown): string | undefined;
  /** One sentence on why nothing, or not all of it, was found in `input`, with the mend for a known slip. */
  explainMissing(input: unknown): string;
  /** The mend for an expression that looks for names inside a string, as `body.id` does where `body` is JSON text. */
  slipIn(input: unknown): string | undefined;
}

/**
 * Compiles a JMESPath expression, with the functions `json()`, `base64()` and `base64_gzip()` for nested payloads.
 *
 * Look-ups see own properties only. Departs from JMESPath where a key would be shared: `to_string()` of null is
 * null, `to_number('')` is null, `join()` of a multi-select with a part missing is null.
 *
 * @param option The option that the expression is given for, named in errors.
 * @throws IdempotencyConfigError for what is no expression, for one that reads nothing of the input, and for the slip
 * `headers.Idempotency-Key`, with the mend.
 * @example
 * const selection = compileSelection("[headers.tenant, json(body).orderId]", "key");
 * selection.select({ headers: { tenant: "t-1" }, body: '{"orderId":7}' }); // ["t-1", 7]
 */
export function compileSelection(expression: string, option: string): Selection {
  if (typeof expression !== "string" || expression.trim() === "") {
    refuseValue(option, expression, "is a JMESPath expression such as `orderId`");
  }
  const node = parseExpression(expression, option);
  const slipIn = (input: unknown): string | undefined => findStringSlip(node, input);
  const missingPart = (value: unknown): string | undefined => (isNothing(value) ? expression : lackedPart(value));
  const select = (input: unknown): unknown => {
    try {
      return interpreter.search(node, input);
    } catch (error) {
      throw unreadable(option, `\`${expression}\` cannot be evaluated: ${reasonOf(error)}`);
    }
  };
  return {
    expression,
    select,
    missingPart,
    slipIn,
    explainMissing(input) {
      const part = missingPart(select(input)) ?? expression;
      const found = part === expression ? `\`${expression}\` finds nothing` : `\`${expression}\` finds no \`${part}\``;
      const slip = slipIn(input);
      return slip === undefined ? found : `${found}; ${slip}`;
    },
  };
}

/** Sentences of ours and of the library hold types and names of functions; any other may quote the input. */
function reasonOf(error: unknown): string {
  if (error instanceof UnreadableText) return error.message;
  if (error instanceof RangeError) return "the input is too large or nests too deep";
  const message = error instanceof Error ? error.message : "";
  if (
    /^(?:Invalid (?:type|arity|value): |not-a-number|invalid[- ](?:value|type)|Error referencing undefined variable )/.test(
      message,
    )
  )
    return message;
  return "the input does not fit it";
}
