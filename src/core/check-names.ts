import { show } from "./duration.ts";
import { IdempotencyConfigError } from "./errors.ts";
import { isRecord } from "./plain.ts";

/**
 * Refuses what is no options object, and options that do not exist. `by` is who was given them, such as `json()`.
 *
 * @throws IdempotencyConfigError naming the option and the ones that there are
 */
export function checkNames(by: string, options: unknown, allowed: readonly string[]): void {
  const names = allowed.join(", ");
  if (!isRecord(options)) {
    throw new IdempotencyConfigError(`${by} was given ${show(options)}; allowed is an object with ${names}`);
  }
  const unknown = Object.keys(options).find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  throw new IdempotencyConfigError(`${by} has no option ${show(unknown)}; allowed are ${names}`);
}
