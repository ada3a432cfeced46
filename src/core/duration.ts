import { IdempotencyConfigError } from "./errors.ts";
import { isRecord, kindOf } from "./plain.ts";

/** A length of time: the sum of its parts. Fractions are allowed. */
export interface Duration {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
}

const MILLIS = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000 } as const;

/** Longer than any record lives, short enough that no stored time leaves the safe integers. */
const LONGEST = 100 * 366 * MILLIS.days;

/**
 * The whole milliseconds of a duration, rounded up.
 *
 * @throws IdempotencyConfigError naming `option` where the value is no duration, not above zero, or above 100 years.
 */
export function toMillis(duration: unknown, option: string): number {
  const given = showDuration(duration);
  const allowed = "{ days, hours, minutes, seconds }, numbers whose sum is above zero and at most 100 years";
  const refuse = (): never => {
    throw new IdempotencyConfigError(`${option} is ${given}; allowed is ${allowed}`);
  };
  if (!isRecord(duration)) return refuse();
  let sum = 0;
  for (const [part, value] of Object.entries(duration)) {
    if (!Object.hasOwn(MILLIS, part)) return refuse();
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return refuse();
    sum += value * MILLIS[part as keyof typeof MILLIS];
  }
  return sum > 0 && sum <= LONGEST ? Math.ceil(sum) : refuse();
}

/** A value as an error message shows it: short, and of an object nothing but that it is one, since it may hold a secret. */
export function show(value: unknown): string {
  if (typeof value === "string") return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value);
}

function showDuration(given: unknown): string {
  if (!isRecord(given)) return show(given);
  const parts = Object.entries(given).map(([name, value]) => `${name.slice(0, 20)}: ${show(value)}`);
  return parts.length === 0 ? "{}" : `{ ${parts.slice(0, 5).join(", ")} }`;
}
