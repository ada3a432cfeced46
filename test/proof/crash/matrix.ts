import { randomUUID } from "node:crypto";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { dynamoDBStore } from "lambda-once/dynamodb";
import type { LocalDynamoDB } from "../../../infra/local/dynamodb-local.ts";
import { epochMillis } from "../../../src/core/time.ts";
import type { Transport } from "./caller.ts";
import { type Cell, type Ground, runCell, type Seen } from "./cell.ts";
import { openEndpoint } from "./endpoint.ts";
import { faultsOf } from "./faults.ts";
import type { Flow } from "./flows.ts";
import { startProcesses } from "./processes.ts";
import type { Verdict } from "./verdict.ts";
import { worldAt } from "./world.ts";

/** A cell, and how it came out. */
export type Result = Cell & Verdict & { readonly seen: Seen /** How often it was run. */; readonly runs: number };

/** Prepares tables, the way on which the faults are, and `spare` processes. */
export async function prepareGround(local: LocalDynamoDB, spare: number): Promise<Ground & { close(): Promise<void> }> {
  const admin = local.client();
  const create = async (what: string): Promise<string> => {
    const TableName = `${what}-${randomUUID()}`;
    const names = ["operation", "entry"];
    await admin.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        KeySchema: names.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? "HASH" : "RANGE" })),
      }),
    );
    return TableName;
  };
  const records = await local.createTable();
  const tables = {
    records,
    orders: await create("orders"),
    ledger: await create("ledger"),
    effects: await create("effects"),
  };
  const endpoint = await openEndpoint(local.endpoint);
  const processes = await startProcesses(spare);
  const world = worldAt(local.endpoint, tables);
  const clock = { now: () => epochMillis(Date.now()) };
  return {
    ...{ local, endpoint, processes, world },
    store: dynamoDBStore({ client: admin, tableName: records, clock }),
    async close() {
      await processes.stop();
      await endpoint.close();
      world.close();
      admin.destroy();
    },
  };
}

/**
 * The cells of a flow: each of its requests, as it makes them where nothing fails, with each fault, alone and with a
 * duplicate.
 */
export async function cellsOf(ground: Ground, flow: Flow, transport: Transport): Promise<readonly Cell[]> {
  const calm = { flow, transport, target: undefined, fault: "reset", extent: "once" } as const;
  const { seen, violations } = await runCell(ground, { ...calm, duplicate: flow.waits === true });
  if (violations.length > 0) throw new Error(`${flow.name}, where nothing fails: ${violations.join("; ")}`);
  const missing = flow.struck?.filter((name) => !seen.requests.some(({ request }) => request === name)) ?? [];
  if (missing.length > 0) throw new Error(`${flow.name} makes no ${missing.join(", ")}`);
  const targets = seen.requests.filter(({ request }) => flow.struck?.includes(request) ?? true);
  return targets.flatMap((target) =>
    faultsOf(target.request).flatMap(([fault, extent]) =>
      (flow.waits === true ? [true] : [false, true]).map((duplicate) => ({
        flow,
        transport,
        target,
        fault,
        extent,
        duplicate,
      })),
    ),
  );
}

/** Runs cells, so many at once. */
export async function runCells(
  ground: Ground,
  cells: readonly Cell[],
  concurrency: number,
  onResult: (result: Result) => void = () => {},
): Promise<readonly Result[]> {
  const results: Result[] = new Array(cells.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < cells.length) {
      const at = next++;
      const cell = cells[at] as Cell;
      let result: Result = { ...cell, ...(await runCell(ground, cell)), runs: 1 };
      while (result.runs < 4 && !result.isStruck) {
        result = { ...cell, ...(await runCell(ground, cell)), runs: result.runs + 1 };
      }
      results[at] = result;
      onResult(result);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return results;
}
