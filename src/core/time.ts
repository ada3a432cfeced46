/**
 * Points in time, branded by unit, so that seconds and milliseconds cannot be mixed up.
 * Stored times are wall-clock times; budgets are measured elsewhere, on a monotonic clock.
 */
declare const unit: unique symbol;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMillis = number & { readonly [unit]: "epoch milliseconds" };

/** Whole seconds since 1970-01-01T00:00:00Z: the unit of DynamoDB's TTL. */
export type EpochSeconds = number & { readonly [unit]: "epoch seconds" };

/** A wall clock: the only source of the times that are stored. */
export interface Clock {
  now(): EpochMillis;
}

/** The system's wall clock is read at the edge and handed in; this only names the unit of a number. */
export const epochMillis = (value: number): EpochMillis => value as EpochMillis;

/** The time now, in whole milliseconds: records hold no fractions, whatever a clock gives. */
export const nowOf = (clock: Clock): EpochMillis => Math.floor(clock.now()) as EpochMillis;

/** The first whole millisecond that is `millis` or more after `at`. */
export const after = (at: EpochMillis, millis: number): EpochMillis => Math.ceil(at + millis) as EpochMillis;

/** The first whole second that is not before `at`: an expiry never comes early. */
export const ceilSeconds = (at: EpochMillis): EpochSeconds => Math.ceil(at / 1000) as EpochSeconds;

/** The last whole second that is not after `at`: what an expiry is compared with. */
export const floorSeconds = (at: EpochMillis): EpochSeconds => Math.floor(at / 1000) as EpochSeconds;
