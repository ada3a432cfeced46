import { IdempotencyConfigError } from "../../core/errors.ts";

/** Ends in an `IdempotencyConfigError` that says where. */
export type Fail = (what: string) => never;

/** A `Fail` whose message begins with the place. */
export function failAt(place: string): Fail {
  return (what) => {
    throw new IdempotencyConfigError(`${place}: ${what}`);
  };
}
