import { lambdaContext, type TestContext } from "lambda-once/testing";

/** A Lambda context whose remaining time runs down from any number of milliseconds; 0 is one of the cases. */
export function contextWith(remaining = 30_000): TestContext {
  const end = performance.now() + remaining;
  return { ...lambdaContext(), getRemainingTimeInMillis: () => Math.max(0, Math.floor(end - performance.now())) };
}
