import { checkNames, refuseValue } from "../core/check.ts";
import { IdempotencyStoreError } from "../core/errors.ts";
import { type Encoded, STARTED } from "../core/record.ts";
import type {
  CheckpointRequest,
  ClaimRequest,
  CommitAnswer,
  CommitRequest,
  CompleteRequest,
  IdempotencyStore,
  IssueRequest,
  ReleaseRequest,
  RenewRequest,
} from "../core/store.ts";
import type { Clock, EpochSeconds } from "../core/time.ts";
import type { NativeItem, PartFacts, WriteAction } from "../core/write.ts";
import { type Item, number, text } from "./attributes.ts";
import { answered, firstClaim, issued, successor } from "./claimed.ts";
import { isHeldBy, isRedeemable, isSuccessible, isVacant } from "./conditions.ts";
import { fromItem, resultToItem, stepToAttribute, toItem } from "./item.ts";
import { checkClock } from "./options.ts";
import { completedSize, ITEM_LIMIT, itemSize } from "./size.ts";

/** Tables that a memory store writes to: `memoryTables()` of `lambda-once/testing`. */
export interface TransactTables {
  /** Carries out all of the actions or none. For each: `undefined` where its condition held, else what was found. */
  transact(actions: readonly WriteAction[]):
    | { readonly committed: true }
    | {
        readonly committed: false;
        readonly refusals: readonly ({ readonly found: NativeItem | undefined } | undefined)[];
      };
}

export interface MemoryStoreOptions {
  /** The wall clock of the stored times, for tests. */
  readonly clock?: Clock | undefined;
  /** The tables of `claim.write(...)`; without them writes are refused. */
  readonly tables?: TransactTables | undefined;
}

/** A store whose raw items can be looked at and put there. */
export interface MemoryStore extends IdempotencyStore {
  /** The items by id, as DynamoDB would hold them. Never changed in place: a write replaces the item. */
  readonly items: Map<string, Item>;
}

/**
 * A store in this process's memory, with the same conditions and the same items as DynamoDB: for tests,
 * and for trying things out. Two processes do not see each other's records, and nothing is ever deleted by age.
 *
 * @throws IdempotencyConfigError for an option that does not exist or cannot be used
 * @example
 * const charge = idempotent(chargeCard, { store: memoryStore(), operation: "charge", key: "orderId" });
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  checkNames("memoryStore()", options, ["clock", "tables"]);
  const clock = checkClock("memoryStore", options.clock);
  const items = new Map<string, Item>();
  const tables = checkTables(options.tables);
  const conflict = (id: string) => ({ outcome: "conflict", found: fromItem(items.get(id), id) }) as const;

  /** What was committed, by its token: sent again it is answered and not carried out again. */
  const committed = new Map<string, CommitRequest>();

  function commit(request: CommitRequest, into: TransactTables): CommitAnswer {
    const { record, actions, token } = request;
    const before = committed.get(token);
    if (before === request) return { outcome: "written" };
    if (before !== undefined) throw reusedToken();
    let next: Item | undefined;
    if (record !== undefined) {
      const bytes = completedSize(record);
      if (bytes > ITEM_LIMIT) return { outcome: "too_large", bytes, limit: ITEM_LIMIT };
      const item = items.get(record.id);
      if (record.from === "nothing") {
        if (!isVacant(item, record.now)) return conflict(record.id);
        next = toItem(answered(record));
      } else {
        if (!isHeldBy(item, record.owner)) return conflict(record.id);
        next = completed(item, record);
      }
    }
    const answer = into.transact(actions);
    if (!answer.committed) {
      const facts = answer.refusals.map((refusal): PartFacts => {
        if (refusal === undefined) return { status: "cancelled" };
        return { status: "refused", reason: "ConditionalCheckFailed", found: refusal.found };
      });
      return { outcome: "refused", facts };
    }
    if (record !== undefined && next !== undefined) items.set(record.id, next);
    committed.set(token, request);
    return { outcome: "written" };
  }

  // Check and write stand in one turn of the event loop, without an await between: that makes them atomic.
  return {
    clock,
    items,
    async claim(request: ClaimRequest) {
      const { id, from, now } = request;
      const item = items.get(id);
      if (request.issued && from === undefined) {
        if (!isRedeemable(item, request)) return conflict(id);
        items.set(id, taken(item, request, Number((item["attempt"] as { N: string }).N) + 1));
        return successor(fromItem(items.get(id), id));
      }
      if (from === undefined) {
        if (!isVacant(item, now)) return conflict(id);
        const record = firstClaim(request);
        items.set(id, toItem(record));
        return { outcome: "claimed", record };
      }
      if (!isSuccessible(item, from, now)) return conflict(id);
      items.set(id, taken(item, request, from.attempt + 1));
      return successor(fromItem(items.get(id), id));
    },
    async complete(request: CompleteRequest) {
      const { id, owner } = request;
      const bytes = completedSize(request);
      if (bytes > ITEM_LIMIT) return { outcome: "too_large", bytes, limit: ITEM_LIMIT };
      const item = items.get(id);
      if (!isHeldBy(item, owner)) return conflict(id);
      items.set(id, completed(item, request));
      return { outcome: "written" };
    },
    async checkpoint({ id, owner, name, step }: CheckpointRequest) {
      const item = items.get(id);
      if (!isHeldBy(item, owner) || (step.encoding === STARTED && !isUnrecorded(item, name, step))) return conflict(id);
      const next = { ...item, steps: { M: { ...stepsOf(item), [name]: stepToAttribute(step) } } };
      const bytes = itemSize(next);
      if (bytes > ITEM_LIMIT) return { outcome: "too_large", bytes, limit: ITEM_LIMIT };
      items.set(id, next);
      return { outcome: "written" };
    },
    async renew({ id, owner, lockedUntil, expiresAt }: RenewRequest) {
      const item = items.get(id);
      if (!isHeldBy(item, owner) || Number((item["lockedUntil"] as { N: string }).N) > lockedUntil) return conflict(id);
      const expiry = expiresAt !== undefined && { expiresAt: number(expiresAt) };
      items.set(id, { ...item, lockedUntil: number(lockedUntil), ...expiry });
      return { outcome: "written" };
    },
    async issue(request: IssueRequest) {
      const { id, now } = request;
      if (!isVacant(items.get(id), now)) return conflict(id);
      items.set(id, toItem(issued(request)));
      return { outcome: "issued" };
    },
    async release({ id, owner, keepUntil, issuedUntil, forget = [] }: ReleaseRequest) {
      const item = items.get(id);
      if (!isHeldBy(item, owner)) return conflict(id);
      const { lockedUntil, ...kept } = item;
      const steps = Object.fromEntries(Object.entries(stepsOf(item)).filter(([name]) => !forget.includes(name)));
      if (keepUntil === undefined && issuedUntil !== undefined) items.set(id, reissued(kept, issuedUntil));
      else if (keepUntil === undefined) items.delete(id);
      else items.set(id, { ...kept, steps: { M: steps }, status: text("RELEASED"), expiresAt: number(keepUntil) });
      return { outcome: "released" };
    },
    commit: tables && (async (request: CommitRequest) => commit(request, tables)),
    async read(id: string) {
      return fromItem(items.get(id), id);
    },
  };
}

/** DynamoDB refuses another request under a token that was used. */
const reusedToken = (): IdempotencyStoreError =>
  new IdempotencyStoreError({ reason: "invalid_request", detail: "the token was used before for another commit" });

function completed({ lockedUntil, steps, result: _, ...kept }: Item, request: CompleteRequest): Item {
  const { status, result, completedAt, expiresAt } = request;
  const times = { completedAt: number(completedAt), expiresAt: number(expiresAt) };
  return { ...kept, status: text(status), ...resultToItem(result), ...times };
}

function reissued({ steps, fingerprint, ...kept }: Item, until: EpochSeconds): Item {
  return { ...kept, status: text("ISSUED"), attempt: number(0), expiresAt: number(until) };
}

/** A start mark that arrives late must not hide what the step has recorded meanwhile. */
function isUnrecorded(item: Item, name: string, mark: Encoded): boolean {
  const steps = stepsOf(item);
  return !Object.hasOwn(steps, name) || JSON.stringify(steps[name]) === JSON.stringify(stepToAttribute(mark));
}

function stepsOf({ steps }: Item): Item {
  return steps !== undefined && "M" in steps ? steps.M : {};
}

function checkTables(tables: unknown): TransactTables | undefined {
  if (tables === undefined || typeof (tables as Partial<TransactTables> | null)?.transact === "function") {
    return tables as TransactTables | undefined;
  }
  return refuseValue("memoryStore(): tables", tables, "is what memoryTables() of lambda-once/testing makes");
}

function taken({ expiresAt: _, fingerprint: __, ...kept }: Item, request: ClaimRequest, attempt: number): Item {
  const { owner, lockedUntil, expiresAt, fingerprint } = request;
  return {
    ...kept,
    status: text("IN_PROGRESS"),
    owner: text(owner),
    attempt: number(attempt),
    lockedUntil: number(lockedUntil),
    steps: kept["steps"] ?? { M: {} },
    ...(expiresAt !== undefined && { expiresAt: number(expiresAt) }),
    ...(fingerprint !== undefined && { fingerprint: text(fingerprint) }),
  };
}
