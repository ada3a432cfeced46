const MAKE = Symbol();

/** One getter for all of them. */
const SIGNAL: PropertyDescriptor & ThisType<{ readonly [MAKE]: () => AbortSignal }> = {
  enumerable: true,
  get() {
    return this[MAKE]();
  },
};

/**
 * An object to add facts to, with a signal that is made when first asked for. Not by a getter in a literal: V8 makes a dictionary of
 * each object with a getter of its own, and keeps all that the getter sees until the next full collection.
 */
export function signalled(make: () => AbortSignal): { readonly signal: AbortSignal } {
  return Object.defineProperty({ [MAKE]: make }, "signal", SIGNAL) as unknown as { readonly signal: AbortSignal };
}
