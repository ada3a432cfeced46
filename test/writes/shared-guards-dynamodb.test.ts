import { commit } from "lambda-once/dynamodb";
import { putUnique, table } from "lambda-once/writes";
import { expect, it } from "vitest";
import { localDynamoDB } from "../support/dynamodb.ts";

const local = await localDynamoDB();
const client = local.client();

interface Person {
  readonly id: string;
  readonly email: string;
}
const unique = ["email"] as const;

async function tables() {
  const guards = { name: await local.createTable(), key: "id" };
  return {
    users: table<Person>()({ name: await local.createTable(), key: ["id"], guards }),
    customers: table<Person>()({ name: await local.createTable(), key: ["id"], guards }),
  };
}

// Seen by a reviewer: an entity of another table with the same key took the guard over and freed it.
it("tables that share their guards keep their values unique", async () => {
  const { users, customers } = await tables();
  const one = { id: "1", email: "ada@example.org" };
  await commit(client, [putUnique({ table: users, item: one, unique })]);
  await commit(client, [putUnique({ table: customers, item: one, unique })]);
  await commit(client, [putUnique({ table: customers, previous: one, unique })]);
  const { outcomes } = await commit(client, [putUnique({ table: users, item: { ...one, id: "2" }, unique })]);
  expect(outcomes).toMatchObject([{ outcome: "duplicate" }]);
});

it("tables that share their guards do not share their values", async () => {
  const { users, customers } = await tables();
  await commit(client, [putUnique({ table: users, item: { id: "1", email: "a" }, unique })]);
  const { outcomes } = await commit(client, [putUnique({ table: customers, item: { id: "2", email: "a" }, unique })]);
  expect(outcomes).toMatchObject([{ outcome: "inserted" }]);
});
