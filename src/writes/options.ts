import { show } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";

/** Says what was given and what is allowed. */
export function refuse(by: string, option: string, given: string, allowed: string): never {
  throw new IdempotencyConfigError(`${by}: ${option} is ${given}; allowed is ${allowed}`);
}

/** A text that is not empty. */
export function checkText(by: string, option: string, value: unknown, allowed: string): string {
  return typeof value === "string" && value !== "" ? value : refuse(by, option, show(value), allowed);
}
