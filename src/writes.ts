/** Writes to tables of one's own that know what they mean: unique, versioned, stateful, unchanged, told to others. */

export {
  type PutIfChangedAlone,
  type PutIfChangedOptions,
  type PutIfChangedOutcome,
  putIfChanged,
} from "./writes/changed.ts";
export type { Cancelled } from "./writes/entity-write.ts";
export { type EtagOptions, etagOf, type IfMatch, versionFrom } from "./writes/etag.ts";
export { type Machine, toMermaid } from "./writes/machine.ts";
export { type OutboxEvent, type OutboxOptions, type OutboxOutcome, outbox } from "./writes/outbox.ts";
export {
  type OutboxStreamEvent,
  type OutboxStreamResponse,
  type PublishOptions,
  publishOutbox,
  type SendEvents,
} from "./writes/publish.ts";
export { type EventBridgeOptions, type SqsOptions, toEventBridge, toSqs } from "./writes/senders.ts";
export type { Along } from "./writes/set-and-remove.ts";
export {
  type AnyTable,
  type EntityOf,
  type ItemOf,
  type KeyOf,
  type StateOf,
  type Table,
  type TableOptions,
  table,
} from "./writes/table.ts";
export { type TransitionOptions, type TransitionOutcome, transition } from "./writes/transition.ts";
export { type ChangeUnique, type DeleteUnique, type Duplicate, type InsertUnique, putUnique } from "./writes/unique.ts";
export type { Unique, UniqueFields } from "./writes/unique-field.ts";
export {
  type PutIfVersionOptions,
  type PutIfVersionOutcome,
  putIfVersion,
  type Stale,
  type UpdateIfVersionOptions,
  type UpdateIfVersionOutcome,
  updateIfVersion,
} from "./writes/version.ts";
export type { Test, When } from "./writes/when.ts";
