import { setTimeout as pause } from "node:timers/promises";
import type { LocalDynamoDB } from "../../../infra/local/dynamodb-local.ts";
import type { IdempotencyStore } from "../../../src/core/store.ts";
import { type Called, call, type Job, LOCK_MARGIN, REMAINING, type Transport } from "./caller.ts";
import type { Endpoint, Fate } from "./endpoint.ts";
import { type Extent, type Fault, isKill, timesOf } from "./faults.ts";
import type { Flow } from "./flows.ts";
import type { Processes } from "./processes.ts";
import { type Verdict, verdictOf, wasTold } from "./verdict.ts";
import type { World } from "./world.ts";

/** One cell of the matrix. */
export interface Cell {
  readonly flow: Flow;
  readonly transport: Transport;
  /** The request that is struck, and of which of the records that the flow asks about; `undefined`: none, to see what there is. */
  readonly target: { readonly request: string; readonly record: number } | undefined;
  readonly fault: Fault;
  readonly extent: Extent;
  /** A second client asks for the same when the fault strikes; in a flow that is waited for, from the beginning. */
  readonly duplicate: boolean;
}

/** Where cells are run. */
export interface Ground {
  readonly local: LocalDynamoDB;
  readonly endpoint: Endpoint;
  readonly world: World;
  /** Reads records past the faults. */
  readonly store: IdempotencyStore;
  readonly processes: Processes;
}

/** One call of a client, and how it ended. */
export interface Try {
  readonly client: "first" | "duplicate" | "afterwards";
  /** Whether the fault has struck one of its requests. */
  readonly struck: boolean;
  /** `undefined`: its process was killed. */
  readonly called: Called | undefined;
}

/** What was seen in a cell. */
export interface Seen {
  readonly keys: readonly string[];
  readonly tries: readonly Try[];
  /** The requests in the order in which each first came, as `request` and `record`. */
  readonly requests: readonly { readonly request: string; readonly record: number }[];
  /** By how much the clock was moved until locks had lapsed, in milliseconds. */
  readonly moved: number;
  /** What keeps a client from being answered in time; `undefined` where all were. */
  readonly stuck: string | undefined;
}

/** By then a key is free again, whatever happened: the lock and its margin, in milliseconds. */
const LOCK = REMAINING + LOCK_MARGIN;

/** A client gives up after so many tries in which it was alone. */
const MOST_TRIES = 10;

let cells = 0;

/** Runs one cell to its end: until every client is answered, what was late has arrived, and one more has asked. */
export async function runCell(ground: Ground, cell: Cell): Promise<Verdict & { readonly seen: Seen }> {
  const { endpoint, world, store, processes, local } = ground;
  const { flow, target, fault, extent } = cell;
  const number = ++cells;
  const prefix = `cell${number}`;
  const keys = flow.batch === true ? [1, 2, 3].map((record) => `${prefix}-${record}`) : [prefix];
  const tries: Try[] = [];
  const requests: { request: string; record: number }[] = [];
  const records: string[] = [];
  const ids = new Set<string>();
  const over = new Set<string>();
  const running = new Map<string, () => Promise<void>>();
  const arrivals: Promise<unknown>[] = [];
  const kept: (() => Promise<unknown>)[] = [];
  const closes: (() => void)[] = [];
  let [ahead, moved, alive, callers, struckTimes] = [0, 0, 0, 0, 0];
  let struck: string | undefined;
  let stuck: string | undefined;
  let onStrike = (): void => {};
  const strike = new Promise<void>((resolve) => {
    onStrike = resolve;
  });

  const fate: Fate = {
    strikes({ name, record = "", caller }) {
      if (!records.includes(record)) records.push(record);
      const at = records.indexOf(record) + 1;
      if (!requests.some((one) => one.request === name && one.record === at))
        requests.push({ request: name, record: at });
      if (target?.request !== name || target.record !== at || (struck ?? caller) !== caller) return undefined;
      if (struckTimes >= timesOf(fault, extent) || over.has(caller)) return undefined;
      struck = caller;
      struckTimes += 1;
      onStrike();
      return fault;
    },
    kill: async (caller) => running.get(caller)?.(),
    follow: (arrival) => void arrivals.push(arrival.catch(() => {})),
    keep: (arrive) => void kept.push(arrive),
  };

  async function once(about: Partial<Job>, mortal = false): Promise<{ caller: string; called: Called | undefined }> {
    const caller = `${prefix}x${++callers}`;
    const { name } = flow;
    const job: Job = {
      ...{ flow: name, transport: cell.transport, caller, endpoint: endpoint.url, direct: local.endpoint },
      ...{ tables: world.tables, keys, declines: false, abandons: false, ahead, ...about },
    };
    endpoint.assign(caller, fate);
    alive += 1;
    try {
      if (mortal) {
        const remote = await processes.call(job);
        running.set(caller, remote.kill);
        return { caller, called: await remote.called };
      }
      const called = await call(job, () => ahead);
      closes.push(called.close);
      return { caller, called };
    } finally {
      alive -= 1;
      over.add(caller);
    }
  }

  /** A client asks until it is answered for every key. */
  async function ask(client: Try["client"], declines = false): Promise<void> {
    let pending: readonly string[] = keys;
    let [alone, sinceMove] = [0, -1];
    for (let first = true; pending.length > 0; first = false) {
      const mortal = isKill(fault) && struck === undefined && target !== undefined;
      const { caller, called } = await once({ keys: pending, declines: declines && first }, mortal);
      tries.push({ client, struck: caller === struck, called });
      for (const { id } of called?.turns ?? []) if (id !== undefined) ids.add(id);
      if (called !== undefined) pending = pending.filter((key) => called.answers[key] === undefined);
      if (pending.length === 0 || called === undefined) continue;
      if (alive > 0) {
        await pause(20);
        continue;
      }
      alone += 1;
      if (sinceMove >= 0) sinceMove += 1;
      const lockedUntil = await lastLock();
      const wait = lockedUntil - (Date.now() + ahead) + 1;
      if (alive > 0) continue;
      if (sinceMove > 0 && wait > 0) stuck ??= `refused ${codesOf(called)} after the lock had lapsed`;
      if (alone > MOST_TRIES) stuck ??= `refused ${codesOf(called)} ${alone} times`;
      if (stuck !== undefined) return;
      if (wait <= 0) continue;
      ahead += wait;
      moved += wait;
      sinceMove = 0;
      if (moved > LOCK) stuck ??= `locked for ${moved} ms more, which is beyond ${LOCK} ms`;
    }
  }

  async function lastLock(): Promise<number> {
    const found = await Promise.all([...ids].map((id) => store.read(id, { consistent: true })));
    return Math.max(0, ...found.map((record) => (record?.status === "IN_PROGRESS" ? record.lockedUntil : 0)));
  }

  if (flow.abandoned === true) {
    const { called } = await once({ abandons: true, endpoint: local.endpoint });
    for (const { id } of called?.turns ?? []) if (id !== undefined) ids.add(id);
    ahead += LOCK + 100;
  }
  const first = ask("first", flow.declines);
  const duplicate = async (): Promise<void> => {
    if (flow.waits !== true) await Promise.race([strike, first]);
    await ask("duplicate");
  };
  await Promise.all([first, ...(cell.duplicate ? [duplicate()] : [])]);
  for (const close of closes) close();
  await Promise.all([...arrivals, ...kept.map((arrive) => arrive())]);
  if (stuck === undefined) await ask("afterwards");
  for (let caller = 1; caller <= callers; caller++) endpoint.forget(`${prefix}x${caller}`);
  for (const close of closes) close();

  const seen: Seen = { keys, tries, requests, moved, stuck };
  // A request that times out on a busy machine, or a flow that takes another way there, makes another experiment of it.
  const isDisturbed = tries.some(
    (one) =>
      !one.struck &&
      (wasTold(one.called, "save_failed", "held", "renew_failed") || codesOf(one.called).includes("store_failed")),
  );
  const isStruck = target === undefined || (struck !== undefined && !isDisturbed);
  return { ...(await verdictOf(ground, flow, seen, [...ids], isStruck)), seen };
}

const codesOf = (called: Called | undefined): string => [...new Set(Object.values(called?.refusals ?? {}))].join(", ");
