import { IdempotencyConfigError } from "../core/errors.ts";
import { isPlainObject } from "../core/plain.ts";

/** What of a Lambda context is read; every Lambda's context fits. */
export interface LambdaContext {
  readonly functionName?: string;
  readonly awsRequestId?: string;
  getRemainingTimeInMillis?(): number;
}

/** Whether `value` may stand in a handler's second place without saying anything about the request. */
export function isContextLike(value: unknown): value is LambdaContext | undefined {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  const context = value as LambdaContext;
  return (
    typeof context.getRemainingTimeInMillis === "function" ||
    typeof context.awsRequestId === "string" ||
    typeof context.functionName === "string" ||
    (isPlainObject(value) && Object.keys(value).length === 0)
  );
}

/** What Lambda and Middy hand over after the context: a callback, and a signal. */
export function isPlumbing(value: unknown): boolean {
  const signal = (value as { signal?: unknown } | undefined | null)?.signal;
  return value === undefined || typeof value === "function" || signal instanceof AbortSignal;
}

/** The Lambda context among a function's arguments, wherever it stands. */
export function contextAmong(args: readonly unknown[]): LambdaContext | undefined {
  return args.find(
    (arg): arg is LambdaContext =>
      typeof arg === "object" && typeof (arg as LambdaContext | null)?.getRemainingTimeInMillis === "function",
  );
}

/** Milliseconds that the Lambda has left; `undefined` where nobody knows. */
export function remainingTime(context: LambdaContext | undefined): number | undefined {
  const remaining = context?.getRemainingTimeInMillis?.();
  return Number.isFinite(remaining) ? remaining : undefined;
}

/**
 * Refuses the two ways of being invoked whose effects cannot be replayed yet: a response stream, and a
 * durable execution, which runs its handler again by itself.
 *
 * @throws IdempotencyConfigError
 */
export function refuseUnsupported(args: readonly unknown[]): void {
  const [, second, third] = args;
  const { pipe, lambdaContext, step } = Object(second) as Readonly<Record<"pipe" | "lambdaContext" | "step", unknown>>;
  if (typeof pipe === "function" && third !== undefined && isContextLike(third)) {
    throw new IdempotencyConfigError(
      "the handler streams its response, which cannot be stored and replayed; wrap a function that returns its result",
    );
  }
  if (lambdaContext !== undefined && typeof step === "function") {
    throw new IdempotencyConfigError(
      "the handler runs in a durable execution, which replays it by itself; wrap the function that a durable step calls",
    );
  }
}
