import { IdempotencyConfigError, IdempotencyStoreError } from "../core/errors.ts";
import { wasResent } from "../core/sendings.ts";
import type { CommitAnswer, CommitRecord, CommitRequest, Conflict } from "../core/store.ts";
import type { Item } from "./attributes.ts";
import { answered } from "./claimed.ts";
import { isHeldBy, isVacant } from "./conditions.ts";
import { isBusy, isConditionFailure, nameOfTable, storeFailure } from "./failures.ts";
import { fromItem } from "./item.ts";
import { type Marshaller, marshaller } from "./native.ts";
import * as requests from "./requests.ts";
import { completedSize, ITEM_LIMIT } from "./size.ts";
import { factsOf, type Reason, regionOf, transact, transaction } from "./transact.ts";
import type { Operations, TransactItem, Transport } from "./transport.ts";

/** What is sent writes an answer. */
const FINAL = { final: true } as const;

/** One request, fixed at its first sending: what is sent again are the same bytes under the same token. */
interface Fixed {
  readonly input: Operations["TransactWriteItems"]["input"];
  readonly marshal: Marshaller;
}

/** Commits records and writes in one table's transactions: one request each, and a read where a user's condition failed. */
export function committer({
  transport,
  table,
}: {
  transport: Transport;
  table: string;
}): (request: CommitRequest) => Promise<CommitAnswer> {
  const fixed = new WeakMap<CommitRequest, Promise<Fixed>>();

  function fix(request: CommitRequest): Promise<Fixed> {
    const made = fixed.get(request) ?? make(request);
    fixed.set(request, made);
    return made;
  }

  async function make({ record, actions, token }: CommitRequest): Promise<Fixed> {
    const marshal = await marshaller();
    const items = actions.map((action, index) => marshal.item(action, index));
    const own = record === undefined ? [] : [requests.commitRecord(table, record)];
    if (record !== undefined) refuseOwnRecord(table, record, items);
    const region = items.some(regionOf) ? await transport.region?.() : undefined;
    return { input: transaction([...own, ...items], token, region), marshal };
  }

  /** Where a user's condition failed it is our record that says whether the operation has been answered meanwhile. */
  async function answeredMeanwhile(record: CommitRecord): Promise<Conflict | undefined> {
    const { id, owner } = record;
    const { Item } = await transport.send("GetItem", requests.read(table, id, true)).catch((error: unknown) => {
      throw storeFailure(error, { operation: "GetItem", table });
    });
    const stands = record.from === "claim" ? isHeldBy(Item, owner) : isVacant(Item, record.now);
    return stands ? undefined : { outcome: "conflict", found: fromItem(Item, id) };
  }

  async function putAlone({ record }: CommitRequest): Promise<CommitAnswer> {
    if (record?.from !== "nothing") return { outcome: "written" };
    try {
      await transport.send("PutItem", requests.claimVacant(table, record.now, answered(record)), FINAL);
      return { outcome: "written" };
    } catch (error) {
      const resent = wasResent(error) && ({ resent: true } as const);
      if (isConditionFailure(error)) return { outcome: "conflict", found: fromItem(error.Item, record.id), ...resent };
      if (isBusy(error)) return { outcome: "busy", ...resent };
      throw storeFailure(error, { operation: "PutItem", table });
    }
  }

  return async (request) => {
    const { record, actions } = request;
    if (record !== undefined) {
      const bytes = completedSize(record);
      if (bytes > ITEM_LIMIT) return { outcome: "too_large", bytes, limit: ITEM_LIMIT };
    }
    if (actions.length === 0 && record?.from !== "claim") return putAlone(request);
    const { input, marshal } = await fix(request);
    const answer = await transact(transport, input).catch((error: unknown) => {
      throw storeFailure(error, { operation: "TransactWriteItems", table });
    });
    if (answer.outcome === "committed") return { outcome: "written" };
    if (answer.outcome === "busy") return answer;
    const { reasons, outcome: _, ...sendings } = answer;
    if (record === undefined) return { outcome: "refused", facts: factsOf(reasons, marshal), ...sendings };
    const [own, ...theirs] = reasons as [Reason, ...Reason[]];
    if (own.code === "ConditionalCheckFailed")
      return { outcome: "conflict", found: fromItem(own.item, record.id), ...sendings };
    if (own.code === "ValidationError") return { outcome: "too_large", bytes: ITEM_LIMIT + 1, limit: ITEM_LIMIT };
    const meanwhile = await answeredMeanwhile(record).catch((failure: IdempotencyStoreError) => {
      // The look says nothing of the commit: it is sent again, unchanged, and what is known of its sendings stays.
      if (failure.retryable) return { outcome: "busy" } as const;
      throw unread(failure, sendings.resent === true);
    });
    return { ...(meanwhile ?? { outcome: "refused", facts: factsOf(theirs, marshal) }), ...sendings };
  };
}

/** The record could not be read after a refusal; `resent`: an earlier sending of the commit may still arrive. */
function unread(cause: IdempotencyStoreError, resent: boolean): IdempotencyStoreError {
  const { reason, action, table } = cause;
  return new IdempotencyStoreError({
    reason,
    detail: `the record could not be read after the commit was refused (${reason})`,
    outcome: resent ? "unknown" : "known",
    cause,
    action,
    table,
  });
}

/** DynamoDB would refuse it as the second action on one item, and DynamoDB Local carry it out. */
function refuseOwnRecord(table: string, { id }: CommitRecord, items: readonly TransactItem[]): void {
  const own = nameOfTable(table);
  const at = items.findIndex((item) => {
    const { TableName, Key, Item } = Object.values(item)[0] as { TableName: string; Key?: Item; Item?: Item };
    const key = (Key ?? Item)?.["id"];
    return nameOfTable(TableName) === own && key !== undefined && "S" in key && key.S === id;
  });
  if (at === -1) return;
  throw new IdempotencyConfigError(`write ${at} is on the record of its own claim; allowed are other items`);
}
