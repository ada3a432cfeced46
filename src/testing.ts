/** What users test their own handlers with. */

export { lambdaContext, type TestContext } from "./testing/context.ts";
export { type StoreTurn, type TestingStore, type TurnFailure, testingStore } from "./testing/store.ts";
export { useStore } from "./testing/use-store.ts";
