import { IdempotencyConfigError } from "../core/errors.ts";
import type { NativeItem, WriteAction } from "../core/write.ts";
import type { Item } from "./attributes.ts";
import type { TransactItem } from "./transport.ts";

/** Between native JavaScript values and DynamoDB's own JSON. */
export interface Marshaller {
  /** One action as a transaction's item. An undefined property equals an absent one. */
  item(action: WriteAction, index: number): TransactItem;
  /** What was found, in native values; integers beyond 2^53 come back as bigint. */
  native(item: Item): NativeItem;
}

let loaded: Promise<Marshaller> | undefined;

/**
 * The SDK's own `@aws-sdk/util-dynamodb`, loaded when the first write needs it: a store that commits no writes works
 * without.
 *
 * @throws IdempotencyConfigError where the package is not installed
 */
export function marshaller(): Promise<Marshaller> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Marshaller> {
  const util = await import("@aws-sdk/util-dynamodb").catch((cause: unknown) => {
    loaded = undefined;
    const error = new IdempotencyConfigError(
      "writes need the package @aws-sdk/util-dynamodb; install it beside the SDK",
    );
    throw Object.assign(error, { cause });
  });
  const raw = (value: NativeItem): Item => util.marshall(value, { removeUndefinedValues: true }) as Item;
  return {
    item(action, index) {
      try {
        return toTransactItem(action, raw);
      } catch (cause) {
        // The SDK's own sentence, which stays in the cause, holds the value.
        const error = new IdempotencyConfigError(`write ${index} holds ${whatOf(cause)}`);
        throw Object.assign(error, { cause });
      }
    },
    native: (item) => util.unmarshall(item as Record<string, never>, { wrapNumbers: exactNumber }),
  };
}

/** What the SDK could not marshal, without the value. */
function whatOf(cause: unknown): string {
  const message = String((cause as { message?: unknown } | null)?.message ?? "");
  if (/SAFE_INTEGER/.test(message)) return "a number beyond 2^53; allowed is a BigInt";
  if (/numeric/.test(message)) return "NaN or an infinity; allowed are finite numbers";
  if (/non-empty set/.test(message)) return "an empty Set; allowed is a Set of one or more";
  if (/\(NS\)/.test(message)) return "a Set of other values; allowed are numbers, texts or bytes, all of one kind";
  return "a value that DynamoDB cannot; allowed are texts, numbers, BigInts, booleans, null, bytes, Sets, arrays and plain objects";
}

/** Integers beyond 2^53 are kept whole. */
function exactNumber(digits: string): number | bigint {
  const value = Number(digits);
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(digits) ? value : BigInt(digits);
}

const onRefusal = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" } as const;

function toTransactItem(
  { Put, Update, Delete, ConditionCheck }: WriteAction,
  raw: (value: NativeItem) => Item,
): TransactItem {
  const common = (request: Expressions) => ({
    TableName: request.TableName as string,
    ...(request.ExpressionAttributeNames && { ExpressionAttributeNames: request.ExpressionAttributeNames }),
    ...(request.ExpressionAttributeValues && { ExpressionAttributeValues: raw(request.ExpressionAttributeValues) }),
    ...(request.ConditionExpression && { ConditionExpression: request.ConditionExpression }),
    ...onRefusal,
  });
  if (Put) return { Put: { ...common(Put), Item: raw(Put.Item as NativeItem) } };
  if (Delete) return { Delete: { ...common(Delete), Key: raw(Delete.Key as NativeItem) } };
  if (Update) {
    const { Key, UpdateExpression } = Update;
    return { Update: { ...common(Update), Key: raw(Key as NativeItem), UpdateExpression: UpdateExpression as string } };
  }
  const { Key, ConditionExpression } = ConditionCheck as NonNullable<WriteAction["ConditionCheck"]>;
  const check = common(ConditionCheck as Expressions);
  return {
    ConditionCheck: { ...check, Key: raw(Key as NativeItem), ConditionExpression: ConditionExpression as string },
  };
}

type Expressions = Omit<NonNullable<WriteAction["Delete"]>, "Key">;
