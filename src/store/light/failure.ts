/** What a light client rejects with, shaped like the SDK's errors. */
export interface Failure extends Error {
  /** The network's, such as `ECONNRESET`. */
  readonly code?: string | undefined;
  readonly $metadata?: {
    readonly httpStatusCode?: number | undefined;
    readonly requestId?: string | undefined;
    /** Above 1: the request had been sent before, and nobody knows what became of it. */
    readonly attempts?: number;
  };
}

/** An error by DynamoDB's or the SDK's name for it. */
export const failure = (name: string, message: string, more?: object): Failure =>
  Object.assign(new Error(message), { name, ...more });
