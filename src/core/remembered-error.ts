/**
 * A kept business error, thrown again for a duplicate: name, message, `code`, `statusCode` and `expose`
 * of the first one, never its stack. It speaks for the function and is no `isIdempotencyError`.
 */
export class IdempotencyRememberedError extends Error {
  override readonly name: string;
  declare readonly code?: string | number;
  declare readonly statusCode?: number;
  declare readonly expose?: boolean;

  constructor(first: RememberedFacts) {
    super(first.message);
    this.name = first.name;
    for (const fact of ["code", "statusCode", "expose"] as const) {
      if (first[fact] !== undefined)
        Object.defineProperty(this, fact, { value: first[fact], enumerable: true, writable: true });
    }
  }
}

/** What of an error is kept. */
export interface RememberedFacts {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly statusCode?: number;
  readonly expose?: boolean;
}
