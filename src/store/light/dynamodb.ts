import { checkNames } from "../../core/check.ts";
import { show } from "../../core/duration.ts";
import { IdempotencyConfigError } from "../../core/errors.ts";
import type { IdempotencyStore } from "../../core/store.ts";
import type { Clock } from "../../core/time.ts";
import { checkClock, checkTable } from "../options.ts";
import { tableStore } from "../table.ts";
import type { Transport } from "../transport.ts";
import { connect, type LightClient } from "./connect.ts";
import { checkLightOptions, type LightClientOptions } from "./options.ts";
import { lightRuntime } from "./runtime.ts";

/** Where the records are, and who carries the requests there. All optional. */
export interface LightStoreOptions extends Pick<LightClientOptions, "region" | "endpoint" | "credentials"> {
  /** The table's name or ARN; without it the environment variable LAMBDA_ONCE_TABLE. */
  readonly tableName?: string | undefined;
  /** A `lightClient()`, to share it or to give it options of its own. Not together with `region`, `endpoint` or `credentials`. */
  readonly client?: LightClient | Transport | undefined;
  /** The wall clock of the stored times, for tests. */
  readonly clock?: Clock | undefined;
}

/** A store that can be made ready before the first call. */
export interface LightStore extends IdempotencyStore {
  /** Opens a connection, TLS included, and gets the credentials. Never throws: what fails now, the first request tries again. */
  prewarm(): Promise<void>;
}

const STORE = "dynamoDBStore";
const OF_THE_CLIENT = ["region", "endpoint", "credentials"] as const;
const OPTIONS = [
  "tableName",
  "client",
  ...OF_THE_CLIENT,
  "clock",
] as const satisfies readonly (keyof LightStoreOptions)[];

/**
 * The store of `lambda-once/dynamodb` over a light client: the same table, records and errors, without the AWS SDK.
 *
 * Make it outside the handler, so that its connections are kept between invocations.
 *
 * @throws IdempotencyConfigError without a table, and for an option that does not exist or cannot be used.
 * @example
 * import { dynamoDBStore } from "lambda-once/dynamodb/light";
 *
 * const store = dynamoDBStore({ tableName: "idempotency" });
 * await store.prewarm();
 * export const handler = idempotent(placeOrder, { store, operation: "place-order", key: "orderId" });
 */
export function dynamoDBStore(options: LightStoreOptions = {}): LightStore {
  checkNames(`${STORE}()`, options, OPTIONS);
  const table = checkTable(STORE, options.tableName);
  const clock = checkClock(STORE, options.clock);
  const { region, endpoint, credentials } = options;
  const given = OF_THE_CLIENT.find((name) => options[name] !== undefined);
  if (options.client !== undefined && given !== undefined) {
    throw new IdempotencyConfigError(`${STORE}() was given both client and ${given}; set ${given} on the client`);
  }
  const client: Transport & Partial<LightClient> =
    checkClient(options.client) ?? connect(checkLightOptions(STORE, { region, endpoint, credentials }), lightRuntime);
  return {
    ...tableStore({ transport: client, table, clock }),
    async prewarm() {
      try {
        await client.prewarm?.();
      } catch {
        // What a transport of one's own fails at, the first request tries again.
      }
    },
  };
}

function checkClient(client: unknown): Transport | undefined {
  if (client === undefined) return undefined;
  const isObject = typeof client === "object" && client !== null;
  if (isObject && "send" in client && typeof client.send === "function" && !("middlewareStack" in client)) {
    return client as Transport;
  }
  const found = isObject && "middlewareStack" in client ? "a client of the AWS SDK" : `${show(client)} without send()`;
  throw new IdempotencyConfigError(
    `${STORE}(): client is ${found}; allowed is a lightClient() here, and one of the SDK in lambda-once/dynamodb`,
  );
}
