/** Checked by the compiler alone: `tsc -p test`. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { DynamoDBStreamHandler } from "aws-lambda";
import { type ActionOutcome, commit, type Write } from "lambda-once/dynamodb";
import {
  outbox,
  publishOutbox,
  putIfChanged,
  putIfVersion,
  putUnique,
  table,
  toEventBridge,
  toMermaid,
  toSqs,
  transition,
  updateIfVersion,
  versionFrom,
} from "lambda-once/writes";
import { expectTypeOf } from "vitest";

interface Order {
  readonly id: string;
  readonly status: "created" | "paid" | "shipped";
  readonly version: number;
  readonly orderNumber: string;
  readonly amount: number;
  readonly note?: string;
}
const machine = { created: ["paid"], paid: ["shipped"], shipped: [] } as const;
const orders = table<Order>()({ name: "orders", key: ["id"], state: "status", version: "version" });
const bare = table<Order>()({ name: "orders", key: ["id"] });
const client = DynamoDBDocumentClient.from(new DynamoDBClient());
const id = "o-1";

// The handle knows the entity's attributes.
// @ts-expect-error no such attribute
table<Order>()({ name: "orders", key: ["orderId"] });
// @ts-expect-error a table has a key
table<Order>()({ name: "orders", key: [] });
// @ts-expect-error a state is a string
table<Order>()({ name: "orders", key: ["id"], state: "amount" });
// @ts-expect-error a version is a number
table<Order>()({ name: "orders", key: ["id"], version: "note" });
// @ts-expect-error an option that does not exist
table<Order>()({ name: "orders", key: ["id"], ttl: "expiresAt" });

// A transition's states are the entity's, and its move is the machine's.
const pay = transition({ table: orders, key: { id }, from: "created", to: "paid", machine });
transition({ table: orders, key: { id }, from: ["created"], to: "paid", machine, set: { note: "x" } });
transition({ table: orders, key: { id }, from: "created", to: "paid", machine, when: { amount: { atLeast: 1 } } });
// @ts-expect-error no legal move
transition({ table: orders, key: { id }, from: "created", to: "shipped", machine });
// @ts-expect-error legal from one of the two alone
transition({ table: orders, key: { id }, from: ["created", "paid"], to: "paid", machine });
// @ts-expect-error no such state
transition({ table: orders, key: { id }, from: "new", to: "paid", machine });
// @ts-expect-error no such state
transition({ table: orders, key: { id }, from: "created", to: "payed", machine });
transition({
  table: orders,
  key: { id },
  from: "created",
  to: "paid",
  // @ts-expect-error the entity has no state 'payed'
  machine: { created: ["paid", "payed"], paid: [], shipped: [] },
});
transition({
  table: orders,
  key: { id },
  from: "created",
  to: "paid",
  // @ts-expect-error the entity has no state 'lost'
  machine: { ...machine, lost: [] },
});
transition({
  table: orders,
  key: { id },
  from: "created",
  to: "paid",
  // @ts-expect-error a state of the entity is missing
  machine: { created: ["paid"], paid: [] } as const,
});
// @ts-expect-error the table has no state
transition({ table: bare, key: { id }, from: "created", to: "paid", machine });
// @ts-expect-error the key is id
transition({ table: orders, key: { orderId: id }, from: "created", to: "paid", machine });
// @ts-expect-error the state is the transition's own
transition({ table: orders, key: { id }, from: "created", to: "paid", machine, set: { status: "paid" } });
// @ts-expect-error an amount is a number
transition({ table: orders, key: { id }, from: "created", to: "paid", machine, set: { amount: "5" } });
// @ts-expect-error there is no such test
transition({ table: orders, key: { id }, from: "created", to: "paid", machine, when: { amount: { is: 5 } } });
// @ts-expect-error a number is compared with a number
transition({ table: orders, key: { id }, from: "created", to: "paid", machine, when: { amount: { below: "5" } } });
toMermaid(machine);

// A commit's outcomes are the writes' own, in their order; alone, none is cancelled.
const { outcomes } = await commit(client, [pay]);
expectTypeOf(outcomes[0].outcome).toEqualTypeOf<"moved" | "already" | "illegal">();
if (outcomes[0].outcome === "illegal") expectTypeOf(outcomes[0].state).toEqualTypeOf<Order["status"] | undefined>();
if (outcomes[0].outcome === "already") expectTypeOf(outcomes[0].current).toEqualTypeOf<Order>();
const several = await commit(client, [
  pay,
  outbox({ table: orders, event: { id, type: "OrderPaid" } }),
  { Delete: { TableName: "x", Key: { id } } },
]);
const [first, second, third] = several.outcomes;
expectTypeOf(first.outcome).toEqualTypeOf<"moved" | "already" | "illegal" | "cancelled">();
expectTypeOf(second.outcome).toEqualTypeOf<"queued" | "duplicate" | "cancelled">();
expectTypeOf(third).toEqualTypeOf<ActionOutcome>();
const many: Write<{ readonly outcome: "written" }>[] = [];
expectTypeOf((await commit(client, many)).outcomes).toEqualTypeOf<readonly { readonly outcome: "written" }[]>();
// @ts-expect-error a list of writes
void commit(client, pay);
// @ts-expect-error a client
void commit({}, [pay]);

// Versions.
const item: Order = { id, status: "created", version: 1, orderNumber: "1", amount: 5 };
const written = (await commit(client, [putIfVersion({ table: orders, item })])).outcomes[0];
if (written.outcome === "stale") expectTypeOf(written.current).toEqualTypeOf<Order | undefined>();
else expectTypeOf(written.version).toEqualTypeOf<number>();
const { version: _, ...unversioned } = item;
putIfVersion({ table: orders, item: unversioned, version: 3 });
// @ts-expect-error a version is a number
putIfVersion({ table: orders, item, version: "3" });
// @ts-expect-error an entity without its key
putIfVersion({ table: orders, item: { status: "created", orderNumber: "1", amount: 5 } });
const wanted = versionFrom('"3"');
if (wanted.match === "any" || wanted.match === "versions") {
  updateIfVersion({ table: orders, key: { id }, version: wanted.version, set: { amount: 6 } });
}
// @ts-expect-error 428 or 400 comes first
updateIfVersion({ table: orders, key: { id }, version: wanted.version });
// @ts-expect-error the version is the builder's own
updateIfVersion({ table: orders, key: { id }, version: 1, set: { version: 2 } });

// Unique fields are the entity's, and what came of it names one.
const insert = putUnique({
  table: orders,
  item,
  unique: ["orderNumber", { fields: ["amount", "note"], name: "gift" }],
});
const [inserted] = (await commit(client, [insert])).outcomes;
expectTypeOf(inserted.outcome).toEqualTypeOf<"inserted" | "duplicate">();
if (inserted.outcome === "duplicate") {
  expectTypeOf(inserted.field).toEqualTypeOf<"orderNumber" | "gift" | "id">();
  expectTypeOf(inserted.existing).toEqualTypeOf<Pick<Order, "id">>();
}
const change = putUnique({ table: orders, item, previous: item, unique: ["orderNumber"] });
expectTypeOf((await commit(client, [change])).outcomes[0].outcome).toEqualTypeOf<"changed" | "stale" | "duplicate">();
const remove = putUnique({ table: orders, previous: item, unique: ["orderNumber"] });
expectTypeOf((await commit(client, [remove])).outcomes[0].outcome).toEqualTypeOf<"deleted" | "stale" | "duplicate">();
putUnique({
  table: orders,
  item,
  unique: [{ fields: "orderNumber", normalise: (value: string) => value.toLowerCase() }],
});
// @ts-expect-error an empty list
putUnique({ table: orders, item, unique: [] });
// @ts-expect-error no such attribute
putUnique({ table: orders, item, unique: ["number"] });
// @ts-expect-error a deletion names the entity
putUnique({ table: orders, previous: { orderNumber: "1" }, unique: ["orderNumber"] });

// A put that may change nothing names all of the content, so that what is left out is left out on purpose.
const put = putIfChanged({
  table: orders,
  item: { id, orderNumber: "1", amount: 5, note: undefined },
  initial: { status: "created" },
});
const [changed] = (await commit(client, [put])).outcomes;
expectTypeOf(changed.outcome).toEqualTypeOf<"created" | "changed" | "unchanged">();
const [inTransaction] = (await commit(client, [put, pay])).outcomes;
expectTypeOf(inTransaction.outcome).toEqualTypeOf<"created" | "changed" | "written" | "unchanged" | "cancelled">();
// @ts-expect-error the optional note is not named
putIfChanged({ table: orders, item: { id, orderNumber: "1", amount: 5 } });
// @ts-expect-error the amount is missing
putIfChanged({ table: orders, item: { id, orderNumber: "1", note: "x" } });
// @ts-expect-error the status is one of the entity's
putIfChanged({ table: orders, item: { id, orderNumber: "1", amount: 5, note: "x" }, initial: { status: "new" } });

// Events are JSON, and go out by the clients as they are.
outbox({ table: orders, event: { id, type: "OrderPaid", data: { amount: 5 } } });
// @ts-expect-error a Date is no JSON
outbox({ table: orders, event: { id, type: "OrderPaid", data: { at: new Date() } } });
// @ts-expect-error an event has a type
outbox({ table: orders, event: { id } });
const bus = toEventBridge({ client: new EventBridgeClient(), command: PutEventsCommand, source: "orders" });
const queue = toSqs({ client: new SQSClient(), command: SendMessageBatchCommand, queueUrl: "https://..." });
const handler: DynamoDBStreamHandler = publishOutbox({ send: bus });
expectTypeOf(handler).toBeFunction();
publishOutbox({ send: queue });
publishOutbox({ send: async (events) => void events.map((event) => event.id) });
