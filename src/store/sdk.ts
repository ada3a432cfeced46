import {
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { rememberUserAgent } from "./quickened.ts";
import type { Transport } from "./transport.ts";
import { sendWatched } from "./watch.ts";

/**
 * A `DynamoDBClient` or `DynamoDBDocumentClient` of the AWS SDK v3, of any version and any copy. Both
 * carry raw commands: a document client translates none but its own.
 */
export interface SdkClient {
  // biome-ignore lint/suspicious/noExplicitAny: each copy of the SDK has command types of its own, none assignable to another's.
  send(command: any): Promise<any>;
}

const COMMANDS = {
  PutItem: PutItemCommand,
  UpdateItem: UpdateItemCommand,
  DeleteItem: DeleteItemCommand,
  GetItem: GetItemCommand,
  TransactWriteItems: TransactWriteItemsCommand,
} as const;

/** Carries requests by a client of the AWS SDK, taken as it is. */
export function sdkTransport(client: SdkClient): Transport {
  return {
    send(operation, input, about) {
      const Command = COMMANDS[operation] as new (input: unknown) => unknown;
      const command = new Command(input);
      // By itself the SDK counts the tries that were refused, too.
      const isFinal = operation === "TransactWriteItems" || about?.final === true;
      return isFinal ? sendWatched(client, command) : client.send(command);
    },
    async region() {
      const { region } = (client as { readonly config?: { readonly region?: unknown } }).config ?? {};
      const name: unknown = typeof region === "function" ? await region() : region;
      return typeof name === "string" ? name : undefined;
    },
  };
}

/** One attempt ends by then; three of them, with the SDK's pauses between, within ten seconds. */
const TIMEOUTS = { connectionTimeout: 1_000, requestTimeout: 2_000, socketTimeout: 2_000 } as const;

/**
 * The client that we make where none is given: keep-alive, three attempts, timeouts that end a request
 * (`requestTimeout` alone only warns) and a middleware stack resolved once for each kind of command.
 */
export function ownClient({
  region,
  endpoint,
}: {
  region?: string | undefined;
  endpoint?: string | undefined;
}): DynamoDBClient {
  const config: DynamoDBClientConfig & { readonly cacheMiddleware: boolean } = {
    maxAttempts: 3,
    cacheMiddleware: true,
    requestHandler: { ...TIMEOUTS, throwOnRequestTimeout: true },
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
  };
  const client = new DynamoDBClient(config);
  // It has no logger that it could tell, and would look through each input and output for one all the same.
  client.middlewareStack.remove("loggerMiddleware");
  rememberUserAgent(client.middlewareStack as never);
  return client;
}
