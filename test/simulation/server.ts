import { IdempotencyStoreError } from "../../src/core/errors.ts";
import type { Found } from "../../src/core/record.ts";
import type { CommitAnswer, CommitRequest, IdempotencyStore } from "../../src/core/store.ts";
import { ceilSeconds, epochMillis } from "../../src/core/time.ts";
import { recordId } from "../../src/key/hash.ts";
import { partText } from "../../src/key/identity.ts";
import { fromItem } from "../../src/store/item.ts";
import { type MemoryStore, memoryStore, type TransactTables } from "../../src/store/memory.ts";
import { keyOf } from "./history.ts";
import type { Identity } from "./scenario.ts";
import type { Simulation } from "./simulation.ts";
import { answerIn, judge, show, type Transition } from "./transitions.ts";

export type Verb = Exclude<Transition["verb"], "delete by age"> | "read";

/** DynamoDB, as far as it matters here: each request is carried out in one moment, and what it did is judged at once. */
export interface Server {
  /** Issues a one-time token. */
  issue(identity: Identity, until: number): void;
  carryOut(verb: Verb, request: unknown): Promise<unknown>;
  /** What stands under `id`, or stood there a moment ago. */
  read(id: string, consistent: boolean): Promise<Found>;
  found(id: string): Found;
}

/** How old an eventually consistent read may be. */
const OLDEST_READ = 500;

/** The tables of the functions' own: rows that nobody writes twice, and gates that may be closed. */
export interface Tables extends TransactTables {
  readonly rows: Map<string, number>;
  readonly closed: Set<string>;
}

export function tablesOf(): Tables {
  const rows = new Map<string, number>();
  const closed = new Set<string>();
  return {
    rows,
    closed,
    transact(actions) {
      const refusals = actions.map(({ ConditionCheck }) =>
        ConditionCheck !== undefined && closed.has(ConditionCheck.Key?.["id"])
          ? { found: { id: ConditionCheck.Key?.["id"], closed: true } }
          : undefined,
      );
      if (refusals.some((refusal) => refusal !== undefined)) return { committed: false, refusals };
      for (const { Put } of actions) {
        const row: string | undefined = Put?.Item?.["id"];
        if (row !== undefined) rows.set(row, (rows.get(row) ?? 0) + 1);
      }
      return { committed: true };
    },
  };
}

export function serverOf(simulation: Simulation, tables: Tables): Server {
  const { world, history, scenario, mutant, fail } = simulation;
  const real = memoryStore({ clock: { now: () => epochMillis(world.now()) }, tables });
  const store: IdempotencyStore = mutant?.server?.(real, tables) ?? real;
  const tokens = new Map<string, { readonly bytes: string; readonly at: number }>();
  let sent = 0;
  const found = (id: string): Found => fromItem(real.items.get(id), id);

  /** A transaction that was carried out is not carried out again, as long as its token is known. */
  async function commit(request: CommitRequest): Promise<CommitAnswer> {
    const known = tokens.get(request.token);
    const bytes = JSON.stringify([request.record, request.actions]);
    if (known !== undefined && world.now() - known.at < scenario.tokenKnown) {
      if (known.bytes === bytes) return { outcome: "written" };
      throw new IdempotencyStoreError({ reason: "invalid_request", detail: "a used token with another request" });
    }
    const before = new Map(tables.rows);
    // What the store below knows of tokens does not count: they are known here, and forgotten.
    const answering = store.commit?.({ ...request, token: `sent ${++sent}` }) as Promise<CommitAnswer>;
    noteRows(request, before);
    const answer = await answering;
    if (answer.outcome === "written") tokens.set(request.token, { bytes, at: world.now() });
    return answer;
  }

  function noteRows({ record }: CommitRequest, before: ReadonlyMap<string, number>): void {
    for (const [row, count] of tables.rows) {
      if (before.get(row) === count) continue;
      if (count > 1) fail("I1", `the row ${row} was written ${count} times`);
      const id = record?.id ?? "";
      const after = found(id);
      const isMine = after?.status === "COMPLETED" && after.owner === record?.owner;
      if (!isMine) fail("I1", `the row ${row} was committed, and its record holds ${show(after)}`);
      const of = Number.parseInt(row, 10);
      const window = keyOf(history, id).window + (record?.from === "nothing" ? 1 : 0);
      for (const [other, { id: otherId, window: otherWindow }] of history.rows) {
        if (otherId === id && otherWindow === window)
          fail("I1", `the rows ${other} and ${row} were committed in one window`);
      }
      if (isMine && (answerIn(after) as { readonly run?: number }).run !== of)
        fail("I1", `the row ${row} was committed with another's result`);
      history.rows.set(row, { id, window, at: world.now() });
    }
  }

  function watch(verb: Transition["verb"], request: unknown, id: string, carry: () => unknown): unknown {
    const item = real.items.get(id);
    const answering = carry();
    const changed = real.items.get(id) !== item;
    const transition: Transition = {
      ...{ verb, request, changed, now: world.now(), slack: scenario.lockMargin / 2 },
      ...{ before: fromItem(item, id), after: changed ? found(id) : fromItem(item, id) },
      operation: keyOf(history, id).identity.operation,
    };
    judge(transition, fail);
    if (changed) note(simulation, real, id, transition);
    return answering;
  }

  return {
    found,
    issue(identity, until) {
      const { operation, principal, key } = identity;
      const names = { principal: partText(principal, "principal"), key: partText(key, "key") };
      const id = recordId({ operation: operation.name, ...names });
      const expiresAt = ceilSeconds(epochMillis(until));
      void real.issue?.({ id, owner: "issuer", now: epochMillis(world.now()), expiresAt });
      keyOf(history, id, identity).versions.push({ at: world.now(), found: found(id) });
    },
    carryOut(verb, request) {
      const of = verb === "commit" ? (request as CommitRequest).record : (request as { readonly id: string });
      const id = of?.id as string;
      const carry = (): unknown =>
        verb === "commit" ? commit(request as CommitRequest) : store[verb](request as never, undefined as never);
      return watch(verb as Transition["verb"], request, id, carry) as Promise<unknown>;
    },
    async read(id, consistent) {
      if (consistent) return store.read(id, { consistent });
      const { versions } = keyOf(history, id);
      const age = world.random.chance(0.5) ? 0 : world.random.int(0, OLDEST_READ);
      return versions.filter(({ at }) => at <= world.now() - age).at(-1)?.found;
    },
  };

  /** Notes what became of a record, and lets its age delete it some time after its expiry. */
  function note({ world, history }: Simulation, { items }: MemoryStore, id: string, transition: Transition): void {
    const { verb, request, before, after } = transition;
    const key = keyOf(history, id);
    key.versions.push({ at: world.now(), found: after });
    const by = verb === "commit" ? (request as CommitRequest).record : request;
    const actor = (by as { readonly owner?: string } | undefined)?.owner;
    if (before?.status === "IN_PROGRESS" && before.owner !== actor) history.lost.add(before.owner);
    if (verb === "release" && actor !== undefined) history.released.add(actor);
    if (verb === "claim" && after?.status === "IN_PROGRESS" && after.attempt === 1) key.window++;
    if (after?.status === "IN_PROGRESS") {
      history.locks.set(after.owner, after.lockedUntil);
      for (const [name, step] of Object.entries(after.steps))
        if (step.encoding !== "started") key.recorded.set(`${key.window}/${name}`, String(step.data));
    }
    if (after?.status === "COMPLETED" || after?.status === "FAILED") {
      const { status, owner } = after;
      if (verb === "commit" && (request as CommitRequest).record?.from === "nothing") key.window++;
      if (key.identity.operation.tokens !== undefined && key.completions.length > 0)
        fail("I8", `a token was redeemed ${key.completions.length + 1} times`);
      key.completions.push({
        status,
        owner,
        value: answerIn(after),
        from: world.now(),
        until: (after.expiresAt ?? 0) * 1000,
      });
    }
    const expiry = after?.status === "UNREADABLE" ? undefined : after?.expiresAt;
    if (after !== undefined && expiry !== undefined) {
      const ends = after.status === "IN_PROGRESS" ? [after.lockedUntil, expiry * 1000] : [expiry * 1000];
      simulation.changed(id, ends);
    }
    if (expiry === undefined || !world.random.chance(0.5)) return;
    world.after(expiry * 1000 - world.now() + world.random.int(0, 5_000), () => {
      const now = found(id);
      if (simulation.calm() || now === undefined || now.status === "UNREADABLE") return;
      if (now.expiresAt === undefined || now.expiresAt * 1000 > world.now()) return;
      world.tell("age", () => `deletes ${id.slice(-6)}: ${show(now)}`);
      watch("delete by age", undefined, id, () => items.delete(id));
    });
  }
}
