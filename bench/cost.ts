/**
 * What each path asks of DynamoDB: requests and capacity units, counted on DynamoDB Local, and their price on demand.
 * Units of successful requests are DynamoDB's own count. A conditional write that fails is billed by the size of the item
 * that stands there, which no response says: it is computed from that item.
 */
import { randomBytes } from "node:crypto";
import { type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { lambdaContext } from "lambda-once/testing";
import { startDynamoDBLocal } from "../infra/local/dynamodb-local.ts";

/** US dollars per million request units on demand in us-east-1, from AWS's price list of November 2026. */
const PRICE = { write: 0.625, read: 0.125 } as const;

interface Bill {
  requests: number;
  write: number;
  read: number;
}

/** The sizes of results: what a codec cannot compress, as text. */
const SIZES = [200, 1_000, 5_000, 50_000] as const;

const local = await startDynamoDBLocal();
try {
  const table = await local.createTable();
  let bill: Bill = { requests: 0, write: 0, read: 0 };
  const client = counting(table);
  const rows: string[] = [];
  for (const size of SIZES) {
    const result = randomBytes(size).toString("base64").slice(0, size);
    const run = (lookup: "first" | "never", fail = false) =>
      idempotent(
        async (_: { readonly id: string }, _context: unknown) => {
          if (fail) throw new Error("declined");
          return result;
        },
        { store: dynamoDBStore({ client, tableName: table }), operation: `size-${size}`, key: "id", lookup },
      );
    const measure = async (name: string, call: () => Promise<unknown>) => {
      bill = { requests: 0, write: 0, read: 0 };
      await call().catch(() => undefined);
      const price = bill.write * PRICE.write + bill.read * PRICE.read;
      rows.push(`| ${name} | ${size} | ${bill.requests} | ${bill.write} | ${bill.read} | ${price.toFixed(3)} |`);
    };
    const event = { id: `o-${size}` };
    await measure("first execution", () => run("never")(event, lambdaContext()));
    await measure("replay", () => run("never")(event, lambdaContext()));
    await measure("replay, looked up first", () => run("first")(event, lambdaContext()));
    await measure("failure, given back", () => run("never", true)({ id: `f-${size}` }, lambdaContext()));
  }
  console.log("| path | result, bytes | requests | write units | read units | $ per million |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  console.log(rows.join("\n"));

  /** A client that asks for, and adds up, what its requests consume. */
  function counting(tableName: string): DynamoDBClient {
    const counted = local.client();
    counted.middlewareStack.add(
      (next, context) => async (args) => {
        const { commandName = "" } = context as { commandName?: string };
        Object.assign(args.input, { ReturnConsumedCapacity: "TOTAL" });
        bill.requests++;
        const kind = commandName.startsWith("Get") ? "read" : "write";
        try {
          const answer = await next(args);
          const { ConsumedCapacity } = answer.output as { ConsumedCapacity?: { CapacityUnits?: number } };
          bill[kind] += ConsumedCapacity?.CapacityUnits ?? 0;
          return answer;
        } catch (error) {
          const { Item } = args.input as { Item?: { id: { S: string } } };
          if (Item !== undefined) bill.write += Math.ceil((await sizeOf(tableName, Item.id.S)) / 1024);
          throw error;
        }
      },
      { step: "initialize" },
    );
    return counted;
  }

  /** The bytes of a stored item: names and values. */
  async function sizeOf(tableName: string, id: string): Promise<number> {
    const reader = local.client();
    const { Item = {} } = await reader.send(new GetItemCommand({ TableName: tableName, Key: { id: { S: id } } }));
    reader.destroy();
    return Object.entries(Item).reduce((sum, [name, value]) => {
      const bytes = value.B?.byteLength ?? Buffer.byteLength(value.S ?? value.N ?? "");
      return sum + name.length + bytes;
    }, 0);
  }
} finally {
  await local.stop();
}
