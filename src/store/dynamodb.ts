import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import type { IdempotencyStore } from "../core/store.ts";
import type { Clock } from "../core/time.ts";
import { checkClock, checkTable, checkText } from "./options.ts";
import { quickened } from "./quickened.ts";
import { ownClient, type SdkClient, sdkTransport } from "./sdk.ts";
import { tableStore } from "./table.ts";

/** Where the records are, and who carries the requests there. All optional. */
export interface DynamoDBStoreOptions {
  /** The table's name or ARN; without it the environment variable LAMBDA_ONCE_TABLE. */
  readonly tableName?: string | undefined;
  /** A client of your own, with your own retries and timeouts. Not together with `region` or `endpoint`. */
  readonly client?: SdkClient | undefined;
  /** Of the client that is made without `client`; else the SDK finds it (AWS_REGION in Lambda). */
  readonly region?: string | undefined;
  /** Of the client that is made without `client`, such as `http://localhost:8000`. */
  readonly endpoint?: string | undefined;
  /** The wall clock of the stored times, for tests. */
  readonly clock?: Clock | undefined;
}

const STORE = "dynamoDBStore";
const OPTIONS = [
  "tableName",
  "client",
  "region",
  "endpoint",
  "clock",
] as const satisfies readonly (keyof DynamoDBStoreOptions)[];

/**
 * A store in a DynamoDB table with the string partition key `id` and TTL on `expiresAt`. A first
 * execution costs two requests, a replay one.
 *
 * Make it outside the handler: the client, if it has to be made, is then made while Lambda initialises
 * the function, and its connections are kept between invocations.
 *
 * @throws IdempotencyConfigError without a table, and for an option that does not exist or cannot be used.
 * @example
 * const store = dynamoDBStore({ tableName: "idempotency" });
 * export const handler = idempotent(placeOrder, { store, operation: "place-order", key: "orderId" });
 */
export function dynamoDBStore(options: DynamoDBStoreOptions = {}): IdempotencyStore {
  checkNames(`${STORE}()`, options, OPTIONS);
  const table = checkTable(STORE, options.tableName);
  const clock = checkClock(STORE, options.clock);
  const region = checkText(STORE, "region", options.region, "the name of an AWS region, such as 'eu-central-1'");
  const endpoint = checkText(STORE, "endpoint", options.endpoint, "a URL, such as 'http://localhost:8000'");
  const client = checkClient(options.client);
  if (client !== undefined && (region !== undefined || endpoint !== undefined)) {
    const given = region === undefined ? "endpoint" : "region";
    throw new IdempotencyConfigError(`${STORE}() was given both client and ${given}; set ${given} on the client`);
  }
  return tableStore({ transport: sdkTransport(quickened(client ?? ownClient({ region, endpoint }))), table, clock });
}

function checkClient(client: unknown): SdkClient | undefined {
  if (
    client === undefined ||
    (typeof client === "object" && client !== null && "send" in client && typeof client.send === "function")
  ) {
    return client as SdkClient | undefined;
  }
  const allowed = "a DynamoDBClient or DynamoDBDocumentClient of the AWS SDK v3";
  throw new IdempotencyConfigError(`${STORE}(): client is ${show(client)} without send(); allowed is ${allowed}`);
}
