/** Idempotent AWS Lambda functions on DynamoDB. Loads neither the AWS SDK nor Middy. */

export type { Claim } from "./core/claim.ts";
export type { Codec, CodecContext } from "./core/codec.ts";
export type { Duration } from "./core/duration.ts";
export * from "./core/errors.ts";
export type { IdempotencyEvent, Observer } from "./core/observe.ts";
export type * from "./core/record.ts";
export * from "./core/refusals.ts";
export * from "./core/remembered-error.ts";
export type { Storable } from "./core/storable.ts";
export type * from "./core/store.ts";
export type { Clock, EpochMillis, EpochSeconds } from "./core/time.ts";
export type { Binding, Identity } from "./lambda/binding.ts";
export { type CurrentClaim, currentClaim } from "./lambda/frames.ts";
export {
  type CallOutcome,
  type Idempotent,
  type IdempotentDecorator,
  type IdempotentDecoratorOfOne,
  idempotent,
  type OptionsFor,
} from "./lambda/idempotent.ts";
export type { Options, Selector } from "./lambda/options.ts";
export { memoryStore } from "./store/memory.ts";
