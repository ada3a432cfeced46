import { IdempotencyConfigError } from "../core/errors.ts";
import { wasResent } from "../core/sendings.ts";
import type { PartFacts } from "../core/write.ts";
import type { Item } from "./attributes.ts";
import { nameOf } from "./failures.ts";
import type { Marshaller } from "./native.ts";
import { itemSize } from "./size.ts";
import type { Operations, TransactItem, Transport } from "./transport.ts";

type Input = Operations["TransactWriteItems"]["input"];

/** The most that one transaction may carry. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Why DynamoDB cancelled a transaction, for one of its items. */
export interface Reason {
  /** `None` where nothing was wrong with this item. */
  readonly code: string;
  /** What stood there, where its condition failed. */
  readonly item: Item | undefined;
  readonly message: string;
}

export type TransactAnswer =
  | { readonly outcome: "committed" }
  /** A condition failed, or an item was refused: one reason for each item. Nothing was written by this sending. */
  | { readonly outcome: "cancelled"; readonly reasons: readonly Reason[]; readonly resent?: true }
  /** Another transaction holds one of the items. Send it again, unchanged. */
  | { readonly outcome: "busy"; readonly resent?: true };

/**
 * A transaction's request, fixed: it is sent again as it is after a lost response, and DynamoDB recognises it
 * by its token for ten minutes.
 *
 * @throws IdempotencyConfigError above 4 MB, and for tables of several Regions, `region` being the client's own
 */
export function transaction(items: readonly TransactItem[], token: string, region?: string): Input {
  const bytes = items.reduce((sum, item) => sum + bytesOf(item), 0);
  if (bytes > MOST_BYTES) {
    throw new IdempotencyConfigError(`a commit of about ${bytes} bytes; allowed are ${MOST_BYTES} in one transaction`);
  }
  const regions = new Set([region, ...items.map(regionOf)].filter((one) => one !== undefined));
  if (regions.size > 1) {
    throw new IdempotencyConfigError(
      `a commit over the Regions ${[...regions].sort().join(", ")}; allowed are tables of one Region`,
    );
  }
  return { TransactItems: items, ClientRequestToken: token };
}

/**
 * Sends it. Rejects with what the transport rejects with, where that is neither of the answers: with
 * `TransactionInProgressException` too, since an earlier sending is being carried out then.
 */
export async function transact(transport: Transport, input: Input): Promise<TransactAnswer> {
  try {
    await transport.send("TransactWriteItems", input);
    return { outcome: "committed" };
  } catch (error) {
    const name = nameOf(error);
    const sendings = wasResent(error) ? ({ resent: true } as const) : {};
    if (name === "TransactionConflictException") return { outcome: "busy", ...sendings };
    if (name !== "TransactionCanceledException") throw error;
    const reasons = reasonsOf(error);
    const codes = new Set(reasons.map(({ code }) => code));
    if (codes.has("ConditionalCheckFailed")) return { outcome: "cancelled", reasons, ...sendings };
    if (codes.has("TransactionConflict")) return { outcome: "busy", ...sendings };
    if (reasons.some(({ code }) => THROTTLED.includes(code))) {
      const { $metadata } = error as { readonly $metadata?: object };
      const about = { name: "ThrottlingException", $metadata, cause: error };
      throw Object.assign(new Error("the transaction was throttled"), about);
    }
    if (reasons.some(({ code }) => code !== "None")) return { outcome: "cancelled", reasons, ...sendings };
    throw error;
  }
}

const THROTTLED: readonly string[] = ["ThrottlingError", "ProvisionedThroughputExceeded"];
/** Of these the item's own action is not to blame. */
const BLAMELESS: readonly string[] = ["None", "TransactionConflict", ...THROTTLED];

/** What became of each item's action, from a cancelled transaction. */
export function factsOf(reasons: readonly Reason[], { native }: Marshaller): PartFacts[] {
  return reasons.map(({ code, item }) => {
    if (BLAMELESS.includes(code)) return { status: "cancelled" };
    return { status: "refused", reason: code, found: item === undefined ? undefined : native(item) };
  });
}

function reasonsOf(error: unknown): Reason[] {
  const { CancellationReasons } = error as { readonly CancellationReasons?: unknown };
  if (!Array.isArray(CancellationReasons)) return [];
  return CancellationReasons.map((reason: { Code?: string; Item?: Item; Message?: string }) => ({
    code: reason.Code ?? "None",
    item: reason.Item,
    message: reason.Message ?? "",
  }));
}

type Parts = {
  readonly TableName: string;
  readonly Item?: Item;
  readonly Key?: Item;
  readonly ExpressionAttributeValues?: Item;
};
const partsOf = (item: TransactItem): Parts => Object.values(item)[0] as Parts;

function bytesOf(item: TransactItem): number {
  const { Item, Key, ExpressionAttributeValues } = partsOf(item);
  return [Item, Key, ExpressionAttributeValues].reduce(
    (sum, part) => sum + (part === undefined ? 0 : itemSize(part)),
    0,
  );
}

/** The Region that a table's ARN names; `undefined` for a name, which is of the client's own. */
export const regionOf = (item: TransactItem): string | undefined =>
  /^arn:[^:]*:dynamodb:([^:]+):/.exec(partsOf(item).TableName)?.[1];
