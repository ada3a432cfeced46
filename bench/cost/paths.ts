import { currentClaim, idempotent, type Options } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { lambdaContext } from "lambda-once/testing";
import type { LocalDynamoDB } from "../../infra/local/dynamodb-local.ts";
import { counter } from "./count.ts";
import { type Library, ours, peer } from "./libraries.ts";
import type { Bill } from "./prices.ts";
import { type Kind, resultOf, SIZES } from "./results.ts";

/** The bills of one size and kind of result, by library: `ours`, `plain` (ours, not compressed) and `peer`. */
export interface Sized {
  readonly bytes: number;
  readonly kind: Kind;
  readonly bills: Readonly<Record<"first" | "replay" | "looked", Readonly<Record<string, Bill>>>>;
}

/** Counts first executions and replays of all sizes and kinds, in a table for each library. */
export async function countSizes(local: LocalDynamoDB): Promise<readonly Sized[]> {
  const { client, billOf } = counter(local);
  const place = async () => ({ client, tableName: await local.createTable() });
  const [own, plain, theirs] = [await place(), await place(), await place()];
  const libraries: Readonly<Record<string, Library>> = {
    ours: ours(own),
    plain: ours(plain, { plain: true }),
    peer: peer(theirs),
  };
  const looking: Readonly<Record<string, Library>> = {
    ours: ours(own, { lookup: "first" }),
    plain: ours(plain, { plain: true, lookup: "first" }),
  };
  const found: Sized[] = [];
  for (const kind of ["order", "noise"] as const) {
    for (const bytes of SIZES) {
      const call = { id: `${kind}-${bytes}`, result: resultOf(kind, bytes) };
      const each = async (all: Readonly<Record<string, Library>>): Promise<Readonly<Record<string, Bill>>> => {
        const bills: Record<string, Bill> = {};
        for (const [name, library] of Object.entries(all)) bills[name] = await billOf(() => library(call));
        return bills;
      };
      const first = await each(libraries);
      found.push({ bytes, kind, bills: { first, replay: await each(libraries), looked: await each(looking) } });
    }
  }
  return found;
}

/** The bills of what else a call can meet, with a small result. */
export async function countPaths(local: LocalDynamoDB): Promise<Readonly<Record<string, Bill>>> {
  const { client, billOf } = counter(local);
  const place = { client, tableName: await local.createTable() };
  const orders = await local.createTable();
  const theirs = peer({ client, tableName: await local.createTable() });
  const call = (id: string, work: () => Promise<unknown>, more: Partial<Options<[Event, unknown], string>> = {}) => {
    const options = { store: dynamoDBStore(place), operation: "place-order", key: "id", ...more } as const;
    const wrapped = idempotent(async (_event: Event, _context: unknown) => {
      await work();
      return "placed";
    }, options);
    return wrapped({ id }, lambdaContext());
  };
  const put = (id: string) => ({ Put: { TableName: orders, Item: { id, status: "placed" } } });
  const steps = (names: readonly string[], once: boolean) => async () => {
    for (const name of names) await currentClaim().step(name, async () => "done", { once });
  };
  const writes = (id: string, count: number) => async () => {
    for (let at = 0; at < count; at++) currentClaim().write(put(`${id}-${at}`));
  };
  const nothing = async () => undefined;
  const declined = async () => {
    throw new Error("declined");
  };

  const bills: Record<string, Bill> = {};
  bills["first execution"] = await billOf(() => call("plain", nothing));
  bills["replay"] = await billOf(() => call("plain", nothing));
  bills["replay, looked up first"] = await billOf(() => call("plain", nothing, { lookup: "first" }));
  bills["first execution, looked up first"] = await billOf(() => call("looked", nothing, { lookup: "first" }));
  bills["error, key given back"] = await billOf(() => call("failed", declined));
  bills["one step"] = await billOf(() => call("step-1", steps(["charge"], false)));
  bills["three steps"] = await billOf(() => call("step-3", steps(["reserve", "charge", "ship"], false)));
  bills["one step with { once: true }"] = await billOf(() => call("once", steps(["charge"], true)));
  bills["commit with 1 write"] = await billOf(() => call("w-1", writes("w-1", 1)));
  bills["commit with 2 writes"] = await billOf(() => call("w-2", writes("w-2", 2)));
  bills["commit with 1 write, claimAt 'commit'"] = await billOf(() =>
    call("c-1", writes("c-1", 1), { claimAt: "commit" }),
  );
  bills["refused, in progress"] = await whileItRuns(
    (work) => call("busy", work),
    () => billOf(() => call("busy", nothing)),
  );
  bills["peer: first execution"] = await billOf(() => theirs({ id: "peer", result: "placed" }));
  bills["peer: replay"] = await billOf(() => theirs({ id: "peer", result: "placed" }));
  bills["peer: error, key given back"] = await billOf(() => theirs({ id: "peer-failed", result: undefined }));
  client.destroy();
  return bills;
}

interface Event {
  readonly id: string;
}

/** What an action costs while a first call is at work. */
async function whileItRuns(
  begin: (work: () => Promise<unknown>) => Promise<unknown>,
  act: () => Promise<Bill>,
): Promise<Bill> {
  let [started, end] = [() => {}, () => {}];
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const first = begin(() => {
    started();
    return ended;
  });
  await running;
  const bill = await act();
  end();
  await first;
  return bill;
}
