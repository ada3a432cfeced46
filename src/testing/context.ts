import { checkNames } from "../core/check.ts";
import { type Duration, toMillis } from "../core/duration.ts";

/** A Lambda context, as a handler under test gets it: every context type of `@types/aws-lambda` fits. */
export interface TestContext {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  callbackWaitsForEmptyEventLoop: boolean;
  getRemainingTimeInMillis(): number;
  done(): void;
  fail(): void;
  succeed(): void;
}

/**
 * A Lambda context whose remaining time runs down from `remaining`.
 *
 * @throws IdempotencyConfigError for a `remaining` that is no duration
 *
 * @example
 * await handler(event, lambdaContext({ remaining: { seconds: 3 } }));
 */
export function lambdaContext(
  options: { readonly remaining?: Duration; readonly functionName?: string } = {},
): TestContext {
  checkNames("lambdaContext()", options, ["remaining", "functionName"]);
  const end = performance.now() + toMillis(options.remaining ?? { seconds: 30 }, "remaining");
  const functionName = options.functionName ?? "test-function";
  return {
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:123456789012:function:${functionName}`,
    memoryLimitInMB: "128",
    awsRequestId: "00000000-0000-4000-8000-000000000000",
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: "test",
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(end - performance.now())),
    done() {},
    fail() {},
    succeed() {},
  };
}
