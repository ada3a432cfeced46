import type { DynamoDBCall } from "./dynamodb-proxy.ts";

/** What became of a key in an invocation, as its requests to the record table tell. */
export type Turn = "ran" | "ran again" | "took over" | "replayed" | "refused";

type Item = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;

interface Input {
  readonly Item?: Item;
  readonly Key?: Item;
  readonly ExpressionAttributeValues?: Item;
}

/**
 * Reads from the requests of one invocation what it did with each key, one turn a record, in their order. The requests
 * are those of docs/architecture.md.
 */
export function turnsOf(calls: readonly DynamoDBCall[]): readonly Turn[] {
  const turns = new Map<string, Turn>();
  for (const { operation, input, output, status } of calls) {
    const { Item, Key, ExpressionAttributeValues: values } = input as Input;
    const seen = output["Item"] as Item | undefined;
    const left = output["Attributes"] as Item | undefined;
    const done = status === 200 || status === 0; // 0: done, though nobody heard it.
    const id = Item?.["id"]?.S ?? Key?.["id"]?.S;
    if (id === undefined) continue;

    if (operation === "PutItem" && Item?.["status"]?.S === "IN_PROGRESS") {
      if (done) turns.set(id, "ran");
      else if (seen !== undefined) turns.set(id, isSame(seen, Item) ? seenTurn(seen) : "refused");
    } else if (operation === "UpdateItem" && values?.[":seen"] !== undefined) {
      if (done) turns.set(id, values[":seenStatus"]?.S === "RELEASED" ? "ran again" : "took over");
    } else if (operation === "UpdateItem" && values?.[":issued"] !== undefined && values[":one"] !== undefined) {
      // A one-time token is redeemed.
      const same = seen?.["fingerprint"]?.S === values[":fingerprint"]?.S;
      if (done) turns.set(id, Number(left?.["attempt"]?.N ?? 1) > 1 ? "ran again" : "ran");
      else if (!executed(turns.get(id))) turns.set(id, seen !== undefined && same ? seenTurn(seen) : "refused");
    } else if (operation === "GetItem" && seen?.["status"] !== undefined && !executed(turns.get(id))) {
      turns.set(id, turns.get(id) === "refused" && seen["status"].S !== "COMPLETED" ? "refused" : seenTurn(seen));
    }
  }
  return [...turns.values()];
}

function seenTurn(record: Item): Turn {
  const { S } = record["status"] ?? {};
  return S === "COMPLETED" || S === "FAILED" ? "replayed" : "refused";
}

function isSame(record: Item, claim: Item): boolean {
  return record["fingerprint"]?.S === claim["fingerprint"]?.S;
}

function executed(turn: Turn | undefined): boolean {
  return turn === "ran" || turn === "ran again" || turn === "took over";
}
