import { type AttributeValue, type DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import middy, { type MiddlewareObj } from "@middy/core";
import type { LocalDynamoDB } from "../../infra/local/dynamodb-local.ts";
import type { Fault } from "../../test/support/dynamodb-faults.ts";
import type { Handler, Place, Protection, Side } from "./side.ts";

type Item = Record<string, AttributeValue>;
type RequestHandler = DynamoDBClient["config"]["requestHandler"];
/** A function under protection; `run` counts its runs from 1. */
type Effect = (event: unknown, run: number) => unknown;

/** One side at work on a table of its own, with its clock, its network and its records in a case's hands. */
export interface World {
  runs(): number;
  wrap(effect: Effect, protection: Protection): Handler;
  /** A Middy handler: `others` first, the idempotency middleware last. */
  middy(effect: Effect, protection: Protection, ...others: readonly MiddlewareObj[]): Handler;
  /** The next `times` requests of this DynamoDB operation meet the fault. */
  fault(operation: string, fault: Fault, times?: number): void;
  heal(): void;
  /** Stops the wall clock of both the side and the SDK at this moment; `undefined` lets it run. */
  stopClock(at: number | undefined): void;
  items(): Promise<readonly Item[]>;
  /** Writes attributes into the only record, past the library; `undefined` removes one. */
  edit(change: Record<string, AttributeValue | undefined>): Promise<void>;
  /** Puts the lock's end of every record in progress into the past. */
  lapse(): Promise<void>;
  readonly side: Side;
  close(): void;
}

const systemNow = Date.now;

/** A new table with one side on it. */
export async function makeWorld(
  local: LocalDynamoDB,
  makeSide: (place: Place) => Side,
  warnings: string[],
): Promise<World> {
  const table = await local.createTable();
  const admin = local.client();
  const inner = local.client().config.requestHandler;
  let faults: { readonly operation: string; readonly fault: Fault; left: number }[] = [];
  const handle: RequestHandler["handle"] = (request, options) => {
    const send = () => inner.handle(request, options);
    const target = String(request.headers["x-amz-target"]);
    const next = faults.find(({ operation, left }) => left > 0 && target.endsWith(`.${operation}`));
    if (next === undefined) return send();
    next.left -= 1;
    return next.fault(send);
  };
  const client = local.client({
    requestHandler: { metadata: { handlerProtocol: "http/1.1" }, handle },
    maxAttempts: 3,
  });
  const side = makeSide({ client, table, warnings });

  let runs = 0;
  const counted =
    (effect: Effect): Handler =>
    async (event) =>
      effect(event, ++runs);
  const items = async () => (await admin.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Items ?? [];
  const put = async (item: Item, change: Record<string, AttributeValue | undefined>) => {
    const kept = Object.entries({ ...item, ...change }).filter(([, value]) => value !== undefined);
    await admin.send(new PutItemCommand({ TableName: table, Item: Object.fromEntries(kept) as Item }));
  };

  return {
    side,
    runs: () => runs,
    wrap: (effect, protection) => side.wrap(counted(effect), protection),
    middy(effect, protection, ...others) {
      const inner = counted(effect);
      const handler = middy((event: unknown) => inner(event));
      for (const other of [...others, side.middleware(protection)]) handler.use(other);
      return handler as unknown as Handler;
    },
    fault(operation, fault, times = Number.POSITIVE_INFINITY) {
      faults.push({ operation, fault, left: times });
    },
    heal() {
      faults = [];
    },
    stopClock(at) {
      Date.now = at === undefined ? systemNow : () => at;
    },
    items,
    async edit(change) {
      const [item, ...others] = await items();
      if (item === undefined || others.length > 0)
        throw new Error(`the case needs one record; there are ${others.length + (item ? 1 : 0)}`);
      await put(item, change);
    },
    async lapse() {
      const { lock, status, running } = side.record;
      const held = (await items()).filter((item) => item[status]?.S === running);
      for (const item of held) await put(item, { [lock]: { N: String(systemNow() - 1_000) } });
    },
    close() {
      Date.now = systemNow;
      client.destroy();
      admin.destroy();
    },
  };
}
