/** What a light client rejects with, shaped like the SDK's errors. */
export interface Failure extends Error {
  /** The network's, such as `ECONNRESET`. */
  readonly code?: string | undefined;
  readonly $metadata?: {
    readonly httpStatusCode?: number | undefined;
    readonly requestId?: string | undefined;
    /** Milliseconds that the answer asks to wait before the next try. */
    readonly retryAfter?: number | undefined;
    /** `false`: there was no connection, or no request on it yet. */
    readonly sent?: false | undefined;
    /** Above 1: the request had been sent before, and nobody knows what became of it. */
    readonly attempts?: number;
  };
}

/** An error by DynamoDB's or the SDK's name for it. */
export const failure = (name: string, message: string, more?: object): Failure =>
  Object.assign(new Error(message), { name, ...more });

/**
 * The same for what DynamoDB answers: a condition that does not hold is an everyday answer, and the way back through the
 * sockets, which says nothing of it, would cost more than all else that is done with it.
 */
export function refused(name: string, message: string, more?: object): Failure {
  const { stackTraceLimit } = Error;
  // Where the intrinsics are frozen nothing is set, and nothing is thrown.
  Reflect.set(Error, "stackTraceLimit", 0);
  const error = failure(name, message, more);
  Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  return error;
}
