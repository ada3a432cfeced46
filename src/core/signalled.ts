/**
 * Facts with a signal that is made when first asked for. A class, and no getter in a literal: of each such literal that is evaluated
 * V8 keeps a description for itself, with all that its getter sees, until the next full collection. Made for each call, that took a
 * tenth of what a call takes over the SDK.
 */
export class Signalled {
  readonly #make: () => AbortSignal;

  constructor(make: () => AbortSignal) {
    this.#make = make;
  }

  get signal(): AbortSignal {
    return this.#make();
  }
}
