import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { IdempotencyStoreError } from "../core/errors.ts";
import type { NativeItem, PartFacts } from "../core/write.ts";
import type { Item } from "./attributes.ts";
import { isBusy, isConditionFailure } from "./failures.ts";
import type { Marshaller } from "./native.ts";
import type { SdkClient } from "./sdk.ts";
import type { TransactItem } from "./transport.ts";

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
      const command = new (Command as new (input: object) => Watchable)({ ...input, ReturnValues: "ALL_OLD" });
      watch(command, () => {
        isLost = true;
      });
      const { Attributes } = await sendUncached(client, command);
      return { status: "committed", old: Attributes === undefined ? undefined : marshal.native(Attributes) };
    } catch (error) {
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

const isMine = (item: NativeItem | undefined, ids: readonly string[]): item is NativeItem =>
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

type Next = (args: unknown) => Promise<unknown>;
interface Watchable {
  readonly middlewareStack: {
    add(middleware: (next: Next) => Next, options: { step: "finalizeRequest"; priority: "low"; name: string }): void;
  };
}

/** Below the client's own retries: each attempt is seen, and not only the last one. */
function watch(command: Watchable, onLost: () => void): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (mayHaveArrived(error)) onLost();
        throw error;
      }
    },
    { step: "finalizeRequest", priority: "low", name: "lambdaOnceWatch" },
  );
}

/** Of these codes the request did not get as far as DynamoDB. */
const NEVER_SENT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

/** Anything but DynamoDB's own refusal, or a connection that was never made. */
function mayHaveArrived(error: unknown): boolean {
  const { code, $metadata } = (error ?? {}) as {
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  if (status !== undefined && status >= 400 && status < 500) return false;
  return code === undefined || !NEVER_SENT.includes(code);
}

/** With options of its own, so that a client that caches its middleware does not cache the watch. */
function sendUncached(client: SdkClient, command: unknown): Promise<{ readonly Attributes?: Item }> {
  return (client as { send(command: unknown, options: object): Promise<object> }).send(command, {});
}
