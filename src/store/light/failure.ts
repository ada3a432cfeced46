/** What a light client rejects with, shaped like the SDK's errors. */
export interface Failure extends Error {
  /** The network's, such as `ECONNRESET`. */
  readonly code?: string | undefined;
  readonly $metadata?: { readonly httpStatusCode: number; readonly requestId: string | undefined };
}

/** An error by DynamoDB's or the SDK's name for it. */
export const failure = (name: string, message: string, more?: object): Failure =>
  Object.assign(new Error(message), { name, ...more });
