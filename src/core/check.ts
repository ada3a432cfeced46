import { show } from "./duration.ts";
import { IdempotencyConfigError } from "./errors.ts";
import { isRecord } from "./plain.ts";

/**
 * Refuses what a user gave.
 *
 * @param allowed What could stand there instead, with its verb: `"is a function"`, `"are 'start', 'commit'"`.
 * @throws IdempotencyConfigError that says what was given and what is allowed
 */
export function refuseValue(option: string, given: unknown, allowed: string): never {
  throw new IdempotencyConfigError(`${option} is ${show(given)}; allowed ${allowed}`);
}

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
  const are = allowed.length > 1 ? "are" : "is";
  throw new IdempotencyConfigError(`${by} has no option ${show(unknown)}; allowed ${are} ${names}`);
}

/**
 * A usable name of an operation: it is the readable part of every record's id.
 *
 * @throws IdempotencyConfigError for any other
 */
export function checkOperation(name: unknown, by = ""): string {
  if (typeof name === "string" && /^[\x21-\x7e]{1,255}$/.test(name)) return name;
  return refuseValue(`${by}operation`, name, "are 1 to 255 visible ASCII characters");
}
