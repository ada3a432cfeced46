import { type Duration, show, toMillis } from "../core/duration.ts";
import { kindOf } from "../core/plain.ts";
import { unreadable } from "../key/refusal.ts";

/** ISO 8601 as EventBridge and JSON write it; without a zone it would be another time on each machine. */
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** The label of the window in which a time lies: without a time, now. */
export type WindowLabel = (...at: [] | [time: Date | number | string]) => string;

/**
 * Makes a part of a key from a time: the same for all times of one window, another one in the next. Windows are aligned to
 * 1970-01-01T00:00:00Z: hours begin at full hours and days at midnight, in UTC (of 7 days, on Thursdays).
 *
 * Two requests on either side of an edge are **different**, however near: give the time that the request itself carries
 * (an event's `time`), which stays the same when it is sent again, and not the time of its arrival. Where a gap of time is
 * meant and not a grid, `firstWithin()` is the guard.
 *
 * A time is a `Date`, milliseconds since 1970, or ISO 8601 with its zone.
 *
 * @throws IdempotencyConfigError at once for what is no duration.
 * The function throws IdempotencyKeyMissingError (400) for what is no time.
 *
 * @example
 * const hourly = window({ hours: 1 });
 * const report = idempotent(async (_event: { readonly time: string }) => createReport(), {
 *   store,
 *   operation: "hourly-report",
 *   key: (event) => ["report", hourly(event.time)],
 * });
 */
export function window(length: Duration): WindowLabel {
  const millis = toMillis(length, "window");
  return function windowLabel(...at) {
    const time = at.length === 0 ? Date.now() : millisOf(at[0]);
    const start = new Date(Math.floor(time / millis) * millis);
    if (Number.isNaN(start.getTime())) throw noTime(at[0]);
    // With its length: windows of two lengths that begin together are not the same window.
    return `${start.toISOString()}/${millis / 1000}s`;
  };
}

function millisOf(at: unknown): number {
  const millis = at instanceof Date ? at.getTime() : typeof at === "string" && isTime(at) ? Date.parse(at) : at;
  if (typeof millis !== "number" || !Number.isFinite(millis)) throw noTime(at);
  return millis;
}

/** A day that a month does not have is read as one of the next. */
function isTime(text: string): boolean {
  const day = text.slice(0, 10);
  return iso.test(text) && new Date(`${day}T00:00Z`).toJSON()?.slice(0, 10) === day;
}

function noTime(at: unknown): Error {
  const given = at instanceof Date ? "an invalid Date" : typeof at === "number" ? show(at) : kindOf(at);
  return unreadable(
    "key",
    `the time of a window is ${given}; allowed is a Date, milliseconds since 1970, or ISO 8601 with its zone`,
  );
}
