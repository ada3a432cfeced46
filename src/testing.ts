/** What users test their own handlers with. */

export {
  type MemoryTable,
  type MemoryTables,
  memoryTables,
  type TransactOutcome,
} from "./store/memory-tables/memory-tables.ts";
export { lambdaContext, type TestContext } from "./testing/context.ts";
export { type StoreTurn, type TestingStore, type TurnFailure, testingStore } from "./testing/store.ts";
export { useStore } from "./testing/use-store.ts";
