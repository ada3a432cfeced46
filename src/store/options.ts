import { refuseValue } from "../core/check.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { type Clock, epochMillis } from "../core/time.ts";

/** The machine's wall clock. */
export const systemClock: Clock = { now: () => epochMillis(Date.now()) };

/** The clock that was given, or the machine's. */
export function checkClock(store: string, clock: Clock | undefined): Clock {
  if (clock === undefined) return systemClock;
  if (typeof clock === "object" && clock !== null && typeof clock.now === "function") return clock;
  return refuseValue(`${store}(): clock`, clock, "is { now() } that returns milliseconds since 1970");
}

/** A string that is not empty, where one was given. */
export function checkText(store: string, name: string, value: unknown, allowed: string): string | undefined {
  if (value === undefined || (typeof value === "string" && value !== "")) return value;
  return refuseValue(`${store}(): ${name}`, value, `is ${allowed}`);
}

/**
 * The table's name or ARN: the option, else the environment variable LAMBDA_ONCE_TABLE.
 *
 * @throws IdempotencyConfigError where there is none, or it can be no table.
 */
export function checkTable(store: string, given: unknown): string {
  const source = given === undefined ? "the environment variable LAMBDA_ONCE_TABLE" : "tableName";
  const name = given === undefined ? process.env["LAMBDA_ONCE_TABLE"] || undefined : given;
  if (name === undefined) {
    throw new IdempotencyConfigError(
      `${store}() has no table: give tableName, or set the environment variable LAMBDA_ONCE_TABLE`,
    );
  }
  if (typeof name === "string" && /^([\w.-]{3,255}|arn:\S+:table\/[\w.-]{3,255})$/.test(name)) return name;
  const allowed = "is a table's name (3 to 255 letters, digits, '_', '-', '.') or its ARN";
  return refuseValue(`${store}(): ${source}`, name, allowed);
}
