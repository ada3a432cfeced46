import type { IdempotencyEvent } from "../../../src/index.ts";
import { type MemoryStore, memoryStore } from "../../../src/store/memory.ts";
import { type MemoryTables, memoryTables } from "../../../src/testing.ts";
import { type FrontEndOptions, type HandClock, handClock } from "./kit.ts";

/** One operation over a memory store with a table `orders`, and everything that can be looked at. */
export interface TablesBench {
  readonly clock: HandClock;
  readonly store: MemoryStore;
  readonly tables: MemoryTables;
  readonly options: FrontEndOptions;
  turns(): string[];
  /** The statuses of all records. */
  statuses(): unknown[];
}

export function tablesBench(more: Partial<FrontEndOptions> = {}): TablesBench {
  const clock = handClock();
  const tables = memoryTables({ orders: { key: ["id"] } });
  const store = memoryStore({ clock, tables });
  const events: IdempotencyEvent[] = [];
  return {
    clock,
    store,
    tables,
    turns: () => events.map(({ type }) => type),
    statuses: () => [...store.items.values()].map(({ status }) => (status as { S: string }).S),
    options: {
      ...{ store, operation: "place", key: "id", observe: (event) => void events.push(event) },
      ...more,
    },
  };
}

export const put = (Item: Record<string, unknown>) => ({ Put: { TableName: "orders", Item } });

/** A Put that is refused where something stands. */
export const putNew = (Item: Record<string, unknown>) => ({
  Put: { TableName: "orders", Item, ConditionExpression: "attribute_not_exists(id)" },
});

/** An update that shows how often it was carried out. */
export const count = (id: string) => ({
  Update: {
    TableName: "orders",
    Key: { id },
    UpdateExpression: "ADD #n :one",
    ExpressionAttributeNames: { "#n": "n" },
    ExpressionAttributeValues: { ":one": 1 },
  },
});
