import { type DynamoDBClient, GetItemCommand, type TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { LocalDynamoDB } from "../../infra/local/dynamodb-local.ts";
import type { Bill } from "./prices.ts";
import { readBlocks, sizeOf, writeUnits } from "./size.ts";

type Item = Parameters<typeof sizeOf>[0];

/** Counts what a client's requests consume. */
export interface Counter {
  readonly client: DynamoDBClient;
  /**
   * What the requests of this work consume; its error is nobody's.
   *
   * @throws Error where the computed units are not those of DynamoDB Local
   */
  billOf(work: () => Promise<unknown>): Promise<Bill>;
}

/**
 * A client of DynamoDB Local with a counter. Units of requests that succeed are DynamoDB Local's own; two kinds it tells wrongly
 * or not at all, and they are computed from the items: a conditional write that fails is billed by the item that stands there,
 * and a transaction twice by each of its items, as it was or as it becomes, whichever is larger.
 */
export function counter(local: LocalDynamoDB): Counter {
  const [client, reader] = [local.client(), local.client()];
  let bill = { requests: 0, write: 0, read: 0 };
  let doubt: string | undefined;

  /** What is computed elsewhere rests on the size of items: it must agree wherever DynamoDB Local tells the units. */
  const agree = (told: number, computed: number, commandName: string): void => {
    if (told !== computed) doubt = `DynamoDB Local counts ${told} units for ${commandName}, we ${computed}`;
  };

  const stored = async (TableName: string, Key: Item): Promise<number> => {
    const { Item } = await reader.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    return Item === undefined ? 0 : sizeOf(Item);
  };
  const touched = (items: readonly TransactWriteItem[]): Promise<number[]> =>
    Promise.all(
      items.map(({ Put, Update, Delete, ConditionCheck }) => {
        const at = Put ?? Update ?? Delete ?? ConditionCheck;
        return stored(
          at?.TableName ?? "",
          Put === undefined ? ((at as { Key: Item }).Key ?? {}) : keyOf(Put.Item ?? {}),
        );
      }),
    );

  client.middlewareStack.add(
    (next, context) => async (args) => {
      const { commandName = "" } = context as { commandName?: string };
      const input = args.input as {
        TableName: string;
        Item?: Item;
        Key?: Item;
        ConsistentRead?: boolean;
        TransactItems?: TransactWriteItem[];
      };
      bill.requests++;
      if (input.TransactItems !== undefined) {
        const before = await touched(input.TransactItems);
        const answer = await next(args);
        const after = await touched(input.TransactItems);
        for (const [at, size] of before.entries()) bill.write += 2 * writeUnits(Math.max(size, after[at] ?? 0));
        return answer;
      }
      Object.assign(args.input, { ReturnConsumedCapacity: "TOTAL" });
      try {
        const answer = await next(args);
        const output = answer.output as { ConsumedCapacity?: { CapacityUnits?: number }; Item?: Item };
        const told = output.ConsumedCapacity?.CapacityUnits ?? 0;
        bill[commandName.startsWith("Get") ? "read" : "write"] += told;
        if (input.Item !== undefined) agree(told, writeUnits(sizeOf(input.Item)), commandName);
        const each = input.ConsistentRead ? 1 : 0.5;
        if (output.Item !== undefined) agree(told, each * readBlocks(sizeOf(output.Item)), commandName);
        return answer;
      } catch (error) {
        bill.write += writeUnits(await stored(input.TableName, input.Key ?? keyOf(input.Item ?? {})));
        throw error;
      }
    },
    { step: "initialize" },
  );
  return {
    client,
    async billOf(work) {
      bill = { requests: 0, write: 0, read: 0 };
      await work().catch(() => undefined);
      if (doubt !== undefined) throw new Error(doubt);
      return { ...bill };
    },
  };
}

/** All tables here have the partition key `id`, and nothing else. */
function keyOf({ id }: Item): Item {
  if (id === undefined) throw new Error("an item without id");
  return { id };
}
