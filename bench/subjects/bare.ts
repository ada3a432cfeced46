import {
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { answerClients, ownClient } from "./own-client.ts";
import { resultOf, tableOf } from "./scenario.ts";
import { serve } from "./serve.ts";

const OWNER = "6891a124-6892-416d-9d4b-42aeb4f7dc7d";
const RESULT = JSON.stringify(resultOf(200));

/** A claim, as src/store/requests.ts asks for it: a conditional put of nine attributes. */
const claim = (TableName: string, id: string, now: number) => ({
  TableName,
  ConditionExpression:
    "attribute_not_exists(#id) OR (#expiresAt <= :s AND (attribute_not_exists(#lockedUntil) OR #lockedUntil <= :ms))",
  ExpressionAttributeNames: { "#id": "id", "#expiresAt": "expiresAt", "#lockedUntil": "lockedUntil" },
  ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  Item: {
    id: { S: id },
    v: { N: "1" },
    status: { S: "IN_PROGRESS" },
    owner: { S: OWNER },
    attempt: { N: "1" },
    createdAt: { N: String(now) },
    expiresAt: { N: String(Math.ceil(now / 1_000) + 86_400) },
    lockedUntil: { N: String(now + 60_000) },
    steps: { M: {} },
  },
  ExpressionAttributeValues: { ":s": { N: String(Math.floor(now / 1_000)) }, ":ms": { N: String(now) } },
});

/** A completion. */
const completion = (TableName: string, id: string, now: number) => ({
  TableName,
  Key: { id: { S: id } },
  UpdateExpression:
    "SET #status = :status, #encoding = :encoding, #completedAt = :at, #expiresAt = :expires, #result = :result REMOVE #lockedUntil, #steps",
  ConditionExpression: "#owner = :me AND #status = :running",
  ExpressionAttributeNames: {
    ...{ "#owner": "owner", "#status": "status", "#result": "result", "#encoding": "encoding" },
    ...{ "#completedAt": "completedAt", "#expiresAt": "expiresAt", "#lockedUntil": "lockedUntil", "#steps": "steps" },
  },
  ExpressionAttributeValues: {
    ":me": { S: OWNER },
    ":running": { S: "IN_PROGRESS" },
    ":status": { S: "COMPLETED" },
    ":encoding": { S: "json" },
    ":at": { N: String(now) },
    ":expires": { N: String(Math.ceil(now / 1_000) + 86_400) },
    ":result": { S: RESULT },
  },
  ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
});

answerClients();
const client = await ownClient();

/** lambda-once's own requests over the client that `dynamoDBStore()` makes, and nothing else: what the SDK takes for them. */
serve((scenario) => {
  const TableName = process.env["BENCH_TABLE"] ?? tableOf("ours", scenario);
  let seen = false;
  return async ({ orderId }) => {
    const id = `place-order#${String(orderId).padStart(43, "0")}`;
    if (scenario.path === "again" && seen) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName, Key: { id: { S: id } }, ConsistentRead: false }),
      );
      if (Item === undefined) throw new Error(`there is no record of ${id}`);
      return Item;
    }
    seen = true;
    try {
      await client.send(new PutItemCommand(claim(TableName, id, Date.now())));
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return error.Item;
      throw error;
    }
    return client.send(new UpdateItemCommand(completion(TableName, id, Date.now())));
  };
});
