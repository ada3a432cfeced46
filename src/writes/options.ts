import { show } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { kindOf } from "../core/plain.ts";

/**
 * Refuses what is no options object, and options that do not exist.
 *
 * @throws IdempotencyConfigError naming the option and the ones that there are
 */
export function checkNames(by: string, options: unknown, allowed: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    refuse(by, "options", kindOf(options), `an object with ${allowed.join(", ")}`);
  }
  const unknown = Object.keys(options).find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  throw new IdempotencyConfigError(`${by} has no option ${show(unknown)}; allowed are ${allowed.join(", ")}`);
}

/** Says what was given and what is allowed. */
export function refuse(by: string, option: string, given: string, allowed: string): never {
  throw new IdempotencyConfigError(`${by}: ${option} is ${given}; allowed is ${allowed}`);
}

/** A text that is not empty. */
export function checkText(by: string, option: string, value: unknown, allowed: string): string {
  return typeof value === "string" && value !== "" ? value : refuse(by, option, show(value), allowed);
}
