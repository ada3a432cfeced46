import { isIdempotencyError } from "../../src/core/errors.ts";
import type { ClaimAnswer, ClaimRequest, RenewRequest } from "../../src/core/store.ts";
import { epochMillis } from "../../src/core/time.ts";
import type { Item } from "../../src/store/attributes.ts";
import { isHeldBy } from "../../src/store/conditions.ts";
import { fromItem } from "../../src/store/item.ts";
import type { MemoryStore } from "../../src/store/memory.ts";
import type { Mutant } from "./simulation.ts";

type RenewAnswer = Awaited<ReturnType<MemoryStore["renew"]>>;
type Held = { readonly id: string; readonly owner: string };

/** The request as if whoever holds the item had sent it: no condition on the owner is left. */
const asHolder = <R extends Held>({ items }: MemoryStore, request: R): R => {
  const owner = items.get(request.id)?.["owner"];
  return owner !== undefined && "S" in owner ? { ...request, owner: owner.S } : request;
};

/** A renewal by its owner alone, whatever the lock's end. */
function renewed({ items }: MemoryStore, { id, owner, lockedUntil, expiresAt }: RenewRequest): RenewAnswer {
  const item = items.get(id);
  if (!isHeldBy(item, owner)) return { outcome: "conflict", found: fromItem(item, id) };
  const expiry = expiresAt !== undefined && { expiresAt: { N: String(expiresAt) } };
  items.set(id, { ...item, lockedUntil: { N: String(lockedUntil) }, ...expiry });
  return { outcome: "written" };
}

/** A claim that looks at a changed item; what it is told is what really stands there. */
async function claimOn(store: MemoryStore, request: ClaimRequest, change: (item: Item) => Item): Promise<ClaimAnswer> {
  const item = store.items.get(request.id);
  if (item === undefined) return store.claim(request);
  const seen = change(item);
  store.items.set(request.id, seen);
  const answering = store.claim(request);
  if (store.items.get(request.id) === seen) store.items.set(request.id, item);
  const answer = await answering;
  return answer.outcome === "conflict" ? { ...answer, found: fromItem(item, request.id) } : answer;
}

const later = (item: Item, name: string): Item => {
  const value = item[name];
  return value === undefined || !("N" in value) ? item : { ...item, [name]: { N: String(Number(value.N) + 1) } };
};

/** Counts the commits that were sent without their writes. */
let alone = 0;

/** A takeover of whatever stands there; `even` of a live lock. */
function asSeen({ items }: MemoryStore, request: ClaimRequest, even: boolean): ClaimRequest {
  const { owner, attempt, status } = items.get(request.id) ?? {};
  if (request.from === undefined || owner === undefined || attempt === undefined || status === undefined)
    return request;
  const seen = { owner: (owner as { S: string }).S, attempt: Number((attempt as { N: string }).N) };
  const from = { ...seen, status: (status as { S: typeof request.from.status }).S };
  return { ...request, from, ...(even && { now: epochMillis(Number.MAX_SAFE_INTEGER) }) };
}

/** The store, broken in one place each: conditions that are missing or wrong. */
export const STORE_MUTANTS: readonly Mutant[] = [
  {
    name: "no owner condition on complete",
    rare: true,
    server: (store) => ({ ...store, complete: (request) => store.complete(asHolder(store, request)) }),
  },
  {
    name: "no owner condition on release",
    server: (store) => ({ ...store, release: (request) => store.release(asHolder(store, request)) }),
  },
  {
    name: "no owner condition on a recorded step",
    rare: true,
    server: (store) => ({ ...store, checkpoint: (request) => store.checkpoint(asHolder(store, request)) }),
  },
  {
    name: "no owner condition on renew",
    server: (store) => ({ ...store, renew: async (request) => renewed(store, asHolder(store, request)) }),
  },
  {
    name: "a renewal that comes late shortens the lock",
    server: (store) => ({ ...store, renew: async (request) => renewed(store, request) }),
  },
  {
    name: "transaction without the owner condition",
    server: (store) => ({
      ...store,
      commit: async (request) => {
        const { record } = request;
        if (record?.from !== "claim") return (store.commit as NonNullable<typeof store.commit>)(request);
        return (store.commit as NonNullable<typeof store.commit>)({ ...request, record: asHolder(store, record) });
      },
    }),
  },
  {
    name: "record outside of the transaction",
    server: (store, tables) => ({
      ...store,
      commit: async ({ record, actions }) => {
        tables.transact(actions);
        return (store.commit as NonNullable<typeof store.commit>)({ record, actions: [], token: `alone ${++alone}` });
      },
    }),
  },
  {
    name: "delete in an error hook, whoever holds the key",
    refused: ({ server, history }, call, error) => {
      if (!isIdempotencyError(error) || error.code !== "in_progress") return;
      const found = server.found(call.id as string);
      if (found?.status !== "IN_PROGRESS" || !history.owners.has(found.owner)) return;
      void server.carryOut("release", { id: call.id, owner: "error-hook", keepUntil: undefined });
    },
    server: (store) => ({
      ...store,
      release: (request) => store.release(request.owner === "error-hook" ? asHolder(store, request) : request),
    }),
  },
  {
    name: "`<` for `<=` on the lock's end",
    rare: true,
    server: (store) => ({
      ...store,
      claim: (request) => claimOn(store, request, (item) => later(item, "lockedUntil")),
    }),
  },
  {
    name: "`<` for `<=` on the expiry",
    server: (store) => ({
      ...store,
      claim: (request) => claimOn(store, request, (item) => later(item, "expiresAt")),
    }),
  },
  {
    name: "takeover without compare-and-set",
    server: (store) => ({
      ...store,
      claim: (request) => store.claim(asSeen(store, request, true)),
    }),
  },
  {
    name: "takeover without the owner and the attempt that were seen",
    server: (store) => ({
      ...store,
      claim: (request) => store.claim(asSeen(store, request, false)),
    }),
  },
  {
    name: "attempt not increased",
    server: (store) => ({
      ...store,
      claim: (request) => {
        const before = store.items.get(request.id)?.["attempt"];
        const answering = store.claim(request);
        const after = store.items.get(request.id);
        if (request.from !== undefined && before !== undefined && after?.["owner"] !== undefined)
          store.items.set(request.id, { ...after, attempt: before });
        return answering;
      },
    }),
  },
  {
    name: "steps dropped by a takeover",
    server: (store) => ({
      ...store,
      claim: (request) =>
        request.from === undefined
          ? store.claim(request)
          : claimOn(store, request, (item) => ({ ...item, steps: { M: {} } })),
    }),
  },
  {
    name: "a step's late start mark over its result",
    rare: true,
    server: (store) => ({
      ...store,
      checkpoint: (request) => {
        const { id, name, step } = request;
        const item = store.items.get(id) ?? {};
        const { steps } = item;
        if (step.encoding !== "started" || steps === undefined || !("M" in steps)) return store.checkpoint(request);
        const { [name]: recorded, ...others } = steps.M;
        if (recorded !== undefined) store.items.set(id, { ...item, steps: { M: others } });
        return store.checkpoint(request);
      },
    }),
  },
  {
    name: "expired but locked counts as absent",
    equivalent: "a record in progress expires a minute or more after its lock has ended, which I10 checks",
    server: (store) => ({
      ...store,
      claim: (request) =>
        request.from !== undefined
          ? store.claim(request)
          : claimOn(store, request, ({ lockedUntil: _, ...item }) => item as Item),
    }),
  },
];
