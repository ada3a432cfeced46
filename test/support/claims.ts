import { type BeginRequest, type Begun, begin } from "../../src/core/begin.ts";
import type { Claim } from "../../src/core/claim.ts";
import type { Engine } from "../../src/core/engine.ts";
import { IdempotencyStoreError, type StoreFailure } from "../../src/core/errors.ts";
import type { WriteAction } from "../../src/core/write.ts";
import { type MemoryTables, memoryTables } from "../../src/testing.ts";
import { type EngineUnderTest, engineUnderTest, type SimulatedTime, simulatedTime } from "./engine.ts";

/** A request whose caller has 30 seconds. */
export const request: BeginRequest = { id: "op#1", fingerprint: "f1", remaining: 30_000, lookFirst: false };

/** A verb of a store that fails without doing anything. */
export const failing =
  (reason: StoreFailure, outcome: "known" | "unknown" = "known") =>
  () =>
    Promise.reject(new IdempotencyStoreError({ reason, detail: "injected", outcome }));

export const busy = () => Promise.resolve({ outcome: "busy" } as const);

/** A verb that never answers. */
export const hanging = () => new Promise<never>(() => {});

/** An engine over a memory store with one table, `orders`. */
export interface Bench extends EngineUnderTest {
  readonly tables: MemoryTables;
  /** A claim, or an error that says what came instead. */
  claim(more?: Partial<BeginRequest>): Promise<Claim>;
  begin(more?: Partial<BeginRequest>): Promise<Begun>;
  /** The observer's events, by type. */
  turns(): string[];
  /** The record as it stands. */
  found(id?: string): Promise<unknown>;
}

export function bench(options: Partial<Engine> = {}, time: SimulatedTime = simulatedTime()): Bench {
  const tables = memoryTables({ orders: { key: ["id"] } });
  const under = engineUnderTest(options, time, tables);
  const beginWith = (more: Partial<BeginRequest> = {}) => begin(under.engine, { ...request, ...more });
  return {
    ...under,
    tables,
    begin: beginWith,
    async claim(more) {
      const begun = await beginWith(more);
      if (begun.status === "claimed") return begun.claim;
      throw new Error(`expected a claim, got ${begun.status === "refused" ? begun.error.code : begun.status}`);
    },
    turns: () => under.events.map(({ type }) => type),
    found: (id = request.id) => under.store.read(id, { consistent: true }),
  };
}

export const put = (Item: Record<string, unknown>): WriteAction => ({ Put: { TableName: "orders", Item } });

/** A Put that is refused where something stands. */
export const putNew = (Item: Record<string, unknown>): WriteAction => ({
  Put: { TableName: "orders", Item, ConditionExpression: "attribute_not_exists(id)" },
});

/** An update that shows how often it was carried out. */
export const count = (id: string): WriteAction => ({
  Update: {
    TableName: "orders",
    Key: { id },
    UpdateExpression: "ADD #n :one",
    ExpressionAttributeNames: { "#n": "n" },
    ExpressionAttributeValues: { ":one": 1 },
  },
});

/** What a call throws; fails where it throws nothing. */
export async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  const answer = await call.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  if ("error" in answer) return answer.error;
  throw new Error(`nothing was thrown; the answer is ${JSON.stringify(answer.result)}`);
}

/** A promise and the way to settle it. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void; fail(error: unknown): void } {
  let open: (value: T) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { opened, open: (value) => open(value), fail: (error) => fail(error) };
}

/** Lets every promise that can go on go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
