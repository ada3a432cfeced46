import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { IdempotencyStoreError } from "../core/errors.ts";
import { wasResent } from "../core/sendings.ts";
import type { NativeItem, PartFacts } from "../core/write.ts";
import type { Item } from "./attributes.ts";
import { isBusy, isConditionFailure } from "./failures.ts";
import type { Marshaller } from "./native.ts";
import type { SdkClient } from "./sdk.ts";
import type { TransactItem } from "./transport.ts";
import { sendWatched } from "./watch.ts";

const REQUESTS = {
  Put: { operation: "PutItem", Command: PutItemCommand },
  Update: { operation: "UpdateItem", Command: UpdateItemCommand },
  Delete: { operation: "DeleteItem", Command: DeleteItemCommand },
} as const;

/** A request for one item, which can be sent again. */
export interface Alone {
  readonly operation: "PutItem" | "UpdateItem" | "DeleteItem";
  /** `undefined`: a transaction holds the item just now. Rejects with what the client rejects with. */
  send(): Promise<PartFacts | undefined>;
}

/**
 * One action as a request of its own, for half of what a transaction costs. It has no token by which DynamoDB would
 * recognise it when the client repeats it after a lost answer; it is recognised by one of `ids` in the item.
 */
export function sendAlone(client: SdkClient, action: TransactItem, ids: readonly string[], marshal: Marshaller): Alone {
  const [kind, input] = Object.entries(action)[0] as [keyof typeof REQUESTS, object];
  const { operation, Command } = REQUESTS[kind];
  /** An attempt got no answer: DynamoDB may have carried it out. */
  let isLost = false;

  async function send(): Promise<PartFacts | undefined> {
    try {
      const command = new (Command as new (input: object) => object)({ ...input, ReturnValues: "ALL_OLD" });
      const { Attributes } = await sendWatched<{ readonly Attributes?: Item }>(client, command);
      return { status: "committed", old: Attributes === undefined ? undefined : marshal.native(Attributes) };
    } catch (error) {
      isLost ||= wasResent(error);
      if (isBusy(error)) return undefined;
      if (!isConditionFailure(error)) throw error;
      const found = error.Item === undefined ? undefined : marshal.native(error.Item);
      if (isMine(found, ids)) return { status: "committed", written: found };
      if (isLost) throw overwritten(error);
      return { status: "refused", reason: "ConditionalCheckFailed", found };
    }
  }
  return { operation, send };
}

/** Whether an item holds one of the ids that these writes leave in theirs. */
export const isMine = (item: NativeItem | undefined, ids: readonly string[] = []): item is NativeItem =>
  item !== undefined && Object.values(item).some((value) => ids.includes(value));

/** Refused now, by an item that another write has left; an earlier attempt may have come before that one. */
function overwritten(cause: unknown): IdempotencyStoreError {
  return new IdempotencyStoreError({
    reason: "timeout",
    detail: "nobody knows whether the write was carried out: an answer was lost, and another write has followed",
    outcome: "unknown",
    cause,
  });
}
