import { expect, test } from "vitest";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { lateMark } from "./late-mark.ts";

const local = await localDynamoDB();
const tableName = await local.createTable();

test("a step's start mark that comes late leaves its result alone, in DynamoDB (simulation, I7, seed 845)", async () => {
  const store = dynamoDBStore({ tableName, client: local.client() });
  expect(await lateMark(store)).toEqual({ outcome: "conflict", step: { encoding: "json", data: '"charged"' } });
}, 30_000);
