const MAKE = Symbol();

/** One getter for all of them. */
const SIGNAL: PropertyDescriptor & ThisType<{ readonly [MAKE]: () => AbortSignal }> = {
  enumerable: true,
  get() {
    return this[MAKE]();
  },
};

/**
 * An object to add facts to, with a signal that is made when first asked for. Not by a getter in a literal: of each one that is
 * evaluated V8 keeps a description for itself, with all that the getter sees, until the next full collection. Made for each call,
 * that took a tenth of what a call takes over the SDK.
 */
export function signalled(make: () => AbortSignal): { readonly signal: AbortSignal } {
  return Object.defineProperty({ [MAKE]: make }, "signal", SIGNAL) as unknown as { readonly signal: AbortSignal };
}
