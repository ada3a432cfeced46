/** Guards against duplicates that keep no result, and parts of keys. */

export { type FirstWithin, type FirstWithinOptions, firstWithin } from "./guards/first-within.ts";
export { type WindowLabel, window } from "./guards/window.ts";
