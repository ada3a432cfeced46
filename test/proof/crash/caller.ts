import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { idempotent, isIdempotencyError } from "lambda-once";
import { idempotentBatch, type SqsRecord } from "lambda-once/batch";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { lightClient, dynamoDBStore as lightStore } from "lambda-once/dynamodb/light";
import { lambdaContext } from "lambda-once/testing";
import { localConfig } from "../../../infra/local/dynamodb-local.ts";
import type { IdempotencyEvent } from "../../../src/core/observe.ts";
import { epochMillis } from "../../../src/core/time.ts";
import { flowOf } from "./flows.ts";
import { type Tables, worldAt } from "./world.ts";

/** What carries the requests. */
export type Transport = "sdk" | "light";

/** One call of a flow, as it can be given to another process. */
export interface Job {
  readonly flow: string;
  readonly transport: Transport;
  /** Who calls: its access key. */
  readonly caller: string;
  /** The way on which the faults are, and the one without. */
  readonly endpoint: string;
  readonly direct: string;
  readonly tables: Tables;
  /** The keys of the operations: one, or those of a batch. */
  readonly keys: readonly string[];
  readonly declines: boolean;
  /** The outcome is never saved: what a process leaves that dies after its function. */
  readonly abandons: boolean;
  /** What the wall clock is ahead of the machine's, in milliseconds. */
  readonly ahead: number;
}

/** A turn of a claim, as far as it can be given to another process. */
export interface Told {
  readonly type: IdempotencyEvent["type"];
  readonly id: string | undefined;
  readonly attempt: number | undefined;
}

/** What the caller was answered. */
export interface Called {
  /** JSON of the result by key; of a record of a batch `"acknowledged"`. */
  readonly answers: Readonly<Record<string, string>>;
  /** The error's code, or its name, by key. */
  readonly refusals: Readonly<Record<string, string>>;
  readonly turns: readonly Told[];
}

/** What a function may run for, and what lies after it until its lock ends, in milliseconds. */
export const REMAINING = 8_000;
export const LOCK_MARGIN = 500;

/** A request that is not answered by then has timed out, in milliseconds. */
const PATIENCE = 1_000;

/** Calls a flow once, with an engine and a client of its own. `close` ends the connections, and what still goes on over them. */
export async function call(job: Job, ahead: () => number = () => job.ahead): Promise<Called & { close(): void }> {
  const { flow: name, keys, tables, abandons, declines } = job;
  const flow = flowOf(name);
  const world = worldAt(job.direct, tables);
  const { store, close } = storeOf(job, ahead);
  const turns: Told[] = [];
  const options = {
    store,
    operation: name.replace(/[^a-z]+/gi, "-"),
    expiresAfter: { hours: 1 },
    deadlineMargin: { seconds: 0.1 },
    ...(flow.options?.["claimAt"] === undefined && { lockMargin: { seconds: LOCK_MARGIN / 1_000 } }),
    ...(abandons && { remember: () => "hold" as const }),
    ...flow.options,
    observe(turn: IdempotencyEvent) {
      turns.push({ type: turn.type, id: turn.id, attempt: "attempt" in turn ? turn.attempt : undefined });
    },
  };
  const context = lambdaContext({ remaining: { seconds: REMAINING / 1_000 } });
  const answers: Record<string, string> = {};
  const refusals: Record<string, string> = {};
  if (flow.batch === true) {
    const handler = idempotentBatch(({ body }) => flow.run(world, { id: body, declines }), { ...options, key: "body" });
    const { batchItemFailures } = await handler({ Records: keys.map(messageOf) }, context);
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const key of keys) {
      if (failed.has(key)) refusals[key] = "reported";
      else answers[key] = '"acknowledged"';
    }
  } else {
    const [id = ""] = keys;
    const pay = idempotent(
      async (payment: { readonly id: string }, _context: object) =>
        (await flow.run(world, { id: payment.id, declines })) as { entry: string },
      { ...options, key: "id" },
    );
    try {
      answers[id] = JSON.stringify(await pay({ id }, context));
    } catch (error) {
      refusals[id] = isIdempotencyError(error) ? error.code : String(error);
    }
  }
  return {
    answers,
    refusals,
    turns,
    close() {
      close();
      world.close();
    },
  };
}

function storeOf({ transport, caller, endpoint, tables }: Job, ahead: () => number) {
  const clock = { now: () => epochMillis(Date.now() + ahead()) };
  const tableName = tables.records;
  const credentials = { accessKeyId: caller, secretAccessKey: "local" };
  if (transport === "light") {
    const client = lightClient({
      region: "local",
      endpoint,
      credentials,
      requestTimeout: { seconds: PATIENCE / 1_000 },
    });
    return { store: lightStore({ client, tableName, clock }), close: () => client.destroy() };
  }
  const requestHandler = { connectionTimeout: PATIENCE, requestTimeout: PATIENCE, throwOnRequestTimeout: true };
  const client = new DynamoDBClient({ ...localConfig, endpoint, credentials, maxAttempts: 3, requestHandler });
  return { store: dynamoDBStore({ client, tableName, clock }), close: () => client.destroy() };
}

const messageOf = (key: string): SqsRecord => ({
  messageId: key,
  receiptHandle: key,
  body: key,
  attributes: { ApproximateReceiveCount: "1" },
  eventSource: "aws:sqs",
  eventSourceARN: "arn:aws:sqs:eu-central-1:123456789012:payments",
});
