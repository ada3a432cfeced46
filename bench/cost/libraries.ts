import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { idempotent } from "lambda-once";
import { json } from "lambda-once/codecs";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { lambdaContext } from "lambda-once/testing";

/** A call of a protected function, in a process that has never seen its key. */
export interface Call {
  readonly id: string;
  /** What the function returns; `undefined`: it throws. */
  readonly result: unknown;
}

/** One way to protect a function. */
export type Library = (call: Call) => Promise<unknown>;

type Event = { readonly id: string };

const run = (result: unknown) => async (_event: Event, _context: unknown) => {
  if (result === undefined) throw new Error("declined");
  return result as string;
};

/** lambda-once; each call is a wrapper of its own, which has seen no key. */
export const ours =
  (
    place: { readonly client: DynamoDBClient; readonly tableName: string },
    how: { lookup?: "first"; plain?: true } = {},
  ): Library =>
  ({ id, result }) =>
    idempotent(run(result), {
      store: dynamoDBStore(place),
      operation: "place-order",
      key: "id",
      ...(how.lookup !== undefined && { lookup: how.lookup }),
      ...(how.plain && { codec: json({ compressAbove: Number.POSITIVE_INFINITY }) }),
    })({ id }, lambdaContext());

/** The peer, over its DynamoDB persistence layer. */
export const peer =
  ({ client, tableName }: { readonly client: DynamoDBClient; readonly tableName: string }): Library =>
  ({ id, result }) => {
    const persistenceStore = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
    const config = new IdempotencyConfig({
      expiresAfterSeconds: 86_400,
      eventKeyJmesPath: "id",
      throwOnNoIdempotencyKey: true,
    });
    return makeIdempotent(run(result), { persistenceStore, keyPrefix: "place-order", config })({ id }, lambdaContext());
  };
