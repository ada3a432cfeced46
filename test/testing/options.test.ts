import { lambdaContext, testingStore, useStore } from "lambda-once/testing";
import { expect, it } from "vitest";
import { visibilityBy } from "../../src/batch.ts";
import { authorizerPrincipal } from "../../src/http.ts";

// Seen by a reviewer: all of these were taken, and some failed later with a TypeError.
it.each<[string, () => unknown, string]>([
  ["lambdaContext", () => lambdaContext({ remain: { seconds: 1 } } as never), "lambdaContext() has no option 'remain'"],
  ["testingStore", () => testingStore({ table: {} } as never), "testingStore() has no option 'table'"],
  ["useStore", () => useStore({} as never), "store is an object without claim(); allowed is dynamoDBStore()"],
  ["visibilityBy", () => visibilityBy({} as never), "visibilityBy(): client is an object without getQueueUrl()"],
  ["visibilityBy", () => visibilityBy(undefined as never), "visibilityBy(): client is undefined without getQueueUrl()"],
  ["authorizerPrincipal", () => authorizerPrincipal(""), "authorizerPrincipal(): field is ''; allowed is a name"],
])("%s() refuses what it cannot use", (_, attempt, message) => {
  expect(attempt).toThrow(expect.objectContaining({ code: "config", message: expect.stringContaining(message) }));
});
