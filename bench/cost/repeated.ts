import { setTimeout as pause } from "node:timers/promises";
import { idempotent, type Options } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { lambdaContext } from "lambda-once/testing";
import type { LocalDynamoDB } from "../../infra/local/dynamodb-local.ts";
import { type Counter, counter } from "./count.ts";
import type { Bill } from "./prices.ts";

interface Event {
  readonly id: string;
}

/** What one more renewal, and one more look of a call that waits, cost: how many there are depends on the time. */
export async function countRepeated(local: LocalDynamoDB): Promise<Readonly<Record<"renewal" | "waiting read", Bill>>> {
  const seconds = { renewing: 2, waiting: 1 } as const;
  const table = { tableName: await local.createTable() };
  const options = (counted: Counter, more: Partial<Options<[Event, unknown], string>>) =>
    ({
      store: dynamoDBStore({ ...table, client: counted.client }),
      operation: "place-order",
      key: "id",
      ...more,
    }) as const;
  const sleeping = (millis: number) => async (_event: Event, _context: unknown) => {
    await pause(millis);
    return "placed";
  };
  const context = () => lambdaContext();

  const holder = counter(local);
  const held = idempotent(sleeping(seconds.renewing * 1_000), options(holder, { lockFor: { seconds: 1.5 } }));
  const renewed = await holder.billOf(() => held({ id: "renewed" }, context()));

  const [first, second] = [counter(local), counter(local)];
  const running = idempotent(sleeping(seconds.waiting * 1_000), options(first, {}))({ id: "waited" }, context());
  await pause(200);
  const waiting = idempotent(sleeping(0), options(second, { whenInProgress: "wait" }));
  const waited = await second.billOf(() => waiting({ id: "waited" }, context()));
  await running;

  const plain = { requests: 2, write: 2, read: 0 };
  const refused = { requests: 1, write: 1, read: 0 };
  for (const { client } of [holder, first, second]) client.destroy();
  return { renewal: one(renewed, plain), "waiting read": one(waited, refused) };
}

/** One of the requests that came beside the ones that come anyway. */
function one(all: Bill, anyway: Bill): Bill {
  const more = all.requests - anyway.requests;
  if (more < 1) throw new Error("nothing was repeated");
  return { requests: 1, write: (all.write - anyway.write) / more, read: (all.read - anyway.read) / more };
}
