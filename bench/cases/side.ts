import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { MiddlewareObj } from "@middy/core";
import type { TestContext } from "lambda-once/testing";

export type Handler = (event: unknown, context?: TestContext) => Promise<unknown>;

/** What both sides are told, in our words. What a side cannot be told, its adapter leaves out. */
export interface Protection {
  /** Default: `"case"`. */
  readonly operation?: string;
  /** JMESPath. Default: the whole event. A missing key is refused on both sides. */
  readonly key?: string;
  readonly principal?: string;
  readonly fingerprint?: string;
  readonly whenAbandoned?: "reject";
  /** The handler answers HTTP requests: `http()` with us. `key` is for those who have no word for it. */
  readonly overHttp?: true;
}

/** One side of the comparison, over one table. */
export interface Side {
  wrap(handler: Handler, protection: Protection): Handler;
  middleware(protection: Protection): MiddlewareObj;
  /** Whether anybody was told that giving the key back has failed. */
  sawReleaseFail(): boolean;
  /** The names that this side's records use. */
  readonly record: {
    readonly lock: string;
    readonly status: string;
    readonly running: string;
    readonly result: string;
  };
}

/** Where a side works, and what it prints by `console.warn`. */
export interface Place {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly warnings: readonly string[];
}

/** How long results are kept, on both sides. */
export const RETENTION_HOURS = 24;
