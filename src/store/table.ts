import type { Busy, CheckpointAnswer, ClaimAnswer, ClaimRequest, Conflict, IdempotencyStore } from "../core/store.ts";
import type { Clock } from "../core/time.ts";
import { firstClaim, issued, successor } from "./claimed.ts";
import { committer } from "./committer.ts";
import { isBusy, isConditionFailure, isItemTooLarge, storeFailure } from "./failures.ts";
import { fromItem } from "./item.ts";
import * as requests from "./requests.ts";
import { completedSize, ITEM_LIMIT } from "./size.ts";
import type { Operation, Operations, Transport } from "./transport.ts";

type Update = Operations["UpdateItem"]["input"];

/** A store in a DynamoDB table, over any transport: one request for each verb, and never a read beside it. */
export function tableStore({
  transport,
  table,
  clock,
}: {
  transport: Transport;
  table: string;
  clock: Clock;
}): IdempotencyStore {
  /** The ordinary answer that an error is; everything else is thrown, typed. */
  const refusal = (error: unknown, operation: Operation, id: string): Conflict | Busy => {
    if (isConditionFailure(error)) return { outcome: "conflict", found: fromItem(error.Item, id) };
    if (isBusy(error)) return { outcome: "busy" };
    throw storeFailure(error, { operation, table });
  };

  const claimVacant = async (request: ClaimRequest): Promise<ClaimAnswer> => {
    const record = firstClaim(request);
    try {
      await transport.send("PutItem", requests.claimVacant(table, request.now, record));
      return { outcome: "claimed", record };
    } catch (error) {
      return refusal(error, "PutItem", request.id);
    }
  };

  const succeed = async (id: string, input: () => Update): Promise<ClaimAnswer> => {
    try {
      const { Attributes } = await transport.send("UpdateItem", input());
      return successor(fromItem(Attributes, id));
    } catch (error) {
      return refusal(error, "UpdateItem", id);
    }
  };

  /** An update under the claim; `bytes` is what its item may come to, where that is known. */
  const write = async (id: string, input: () => Update, bytes = 0): Promise<CheckpointAnswer> => {
    try {
      await transport.send("UpdateItem", input());
      return { outcome: "written" };
    } catch (error) {
      if (!isItemTooLarge(error)) return refusal(error, "UpdateItem", id);
      return { outcome: "too_large", bytes: Math.max(bytes, ITEM_LIMIT + 1), limit: ITEM_LIMIT };
    }
  };

  return {
    clock,
    claim(request) {
      const { id, from } = request;
      if (from !== undefined) return succeed(id, () => requests.claimFrom(table, request, from));
      return request.issued ? succeed(id, () => requests.redeem(table, request)) : claimVacant(request);
    },
    async issue(request) {
      try {
        await transport.send("PutItem", requests.claimVacant(table, request.now, issued(request)));
        return { outcome: "issued" };
      } catch (error) {
        return refusal(error, "PutItem", request.id);
      }
    },
    async complete(request) {
      const bytes = completedSize(request);
      if (bytes > ITEM_LIMIT) return { outcome: "too_large", bytes, limit: ITEM_LIMIT };
      return await write(request.id, () => requests.complete(table, request), bytes);
    },
    checkpoint: (request) => write(request.id, () => requests.checkpoint(table, request)),
    async renew(request) {
      try {
        await transport.send("UpdateItem", requests.renew(table, request));
        return { outcome: "written" };
      } catch (error) {
        return refusal(error, "UpdateItem", request.id);
      }
    },
    commit: committer({ transport, table }),
    async release(request) {
      const { keepUntil, issuedUntil } = request;
      const operation = keepUntil === undefined && issuedUntil === undefined ? "DeleteItem" : "UpdateItem";
      try {
        if (keepUntil !== undefined) await transport.send("UpdateItem", requests.release(table, request, keepUntil));
        else if (issuedUntil !== undefined)
          await transport.send("UpdateItem", requests.reissue(table, request, issuedUntil));
        else await transport.send("DeleteItem", requests.remove(table, request));
        return { outcome: "released" };
      } catch (error) {
        return refusal(error, operation, request.id);
      }
    },
    async read(id, { consistent }) {
      try {
        const { Item } = await transport.send("GetItem", requests.read(table, id, consistent));
        return fromItem(Item, id);
      } catch (error) {
        throw storeFailure(error, { operation: "GetItem", table });
      }
    },
  };
}
