import { inflated } from "../codec/json.ts";
import type { Codec } from "../core/codec.ts";
import type { CompletedRecord, Found, InProgressRecord } from "../core/record.ts";
import type { CompleteRequest, IdempotencyStore } from "../core/store.ts";
import { floorSeconds, nowOf } from "../core/time.ts";

/** How much a process keeps. */
export interface CacheLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** A store that knows some records without asking. */
export interface CachedStore extends IdempotencyStore {
  /** The record, where it is known: a first look then costs no request. */
  known(id: string): CompletedRecord | undefined;
}

/** What of a claim its completion does not say. */
type Claimed = Pick<InProgressRecord, "id" | "owner" | "attempt" | "fingerprint" | "createdAt">;

/** What one record takes beside its result: id, fingerprint, numbers. */
const OVERHEAD = 300;

/**
 * Keeps the completed records of a process, until they expire and within the limits, the ones that were not asked for longest
 * going first. Only a first look is answered by them, from which nothing but an equal request's answer is believed; they
 * are kept encoded, so that each replay decodes a value of its own.
 */
export function cachedStore(store: IdempotencyStore, codec: Codec, { entries, bytes }: CacheLimits): CachedStore {
  const { commit } = store;
  const records = new Map<string, CompletedRecord>();
  /** The claims under way here, which know what a completion does not say. */
  const claimed = new Map<string, Claimed>();
  let size = 0;

  function forget(id: string): void {
    const record = records.get(id);
    if (record !== undefined && records.delete(id)) size -= sizeOf(record);
  }

  function keep(found: Found): void {
    if (found?.status !== "COMPLETED") return;
    forget(found.id);
    const record = readable(found, codec);
    if (record === undefined || sizeOf(record) > bytes) return;
    records.set(record.id, record);
    size += sizeOf(record);
    for (const id of records.keys()) {
      if (records.size <= entries && size <= bytes) return;
      forget(id);
    }
  }

  function completed(request: CompleteRequest): void {
    const claim = claimed.get(request.id);
    if (claim?.owner !== request.owner) return;
    claimed.delete(request.id);
    const { status, completedAt, expiresAt, result } = request;
    keep({ status, completedAt, expiresAt, result, ...claim });
  }

  function known(id: string): CompletedRecord | undefined {
    const record = records.get(id);
    if (record === undefined) return undefined;
    if (record.expiresAt <= floorSeconds(nowOf(store.clock))) {
      forget(id);
      return undefined;
    }
    // Asked for now: it goes last.
    records.delete(id);
    records.set(id, record);
    return record;
  }

  return {
    clock: store.clock,
    known,
    async read(id, options) {
      const record = options.consistent ? undefined : known(id);
      if (record !== undefined) return record;
      const found = await store.read(id, options);
      keep(found);
      return found;
    },
    async claim(request) {
      const answer = await store.claim(request);
      if (answer.outcome === "claimed") {
        forget(request.id);
        const { id, owner, attempt, fingerprint, createdAt } = answer.record;
        claimed.set(id, { id, owner, attempt, fingerprint, createdAt });
        if (claimed.size > entries) claimed.delete(claimed.keys().next().value as string);
      } else if (answer.outcome === "conflict") keep(answer.found);
      return answer;
    },
    async complete(request) {
      const answer = await store.complete(request);
      if (answer.outcome === "written") completed(request);
      return answer;
    },
    commit:
      commit &&
      (async (request) => {
        const answer = await commit.call(store, request);
        if (answer.outcome === "written" && request.record !== undefined) completed(request.record);
        return answer;
      }),
    release(request) {
      claimed.delete(request.id);
      return store.release(request);
    },
    checkpoint: store.checkpoint.bind(store),
    renew: store.renew.bind(store),
    issue: store.issue?.bind(store),
  };
}

/** Inflated once, not at each replay; `undefined` where it cannot be: the store's answer says what is wrong. */
function readable(record: CompletedRecord, codec: Codec): CompletedRecord | undefined {
  try {
    return { ...record, result: inflated(record.result, codec) };
  } catch {
    return undefined;
  }
}

/** A string may take two bytes for each of its characters. */
function sizeOf({ result: { data = "" } }: CompletedRecord): number {
  return OVERHEAD + (typeof data === "string" ? 2 * data.length : data.byteLength);
}
