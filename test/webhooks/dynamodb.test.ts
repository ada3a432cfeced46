import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { epochMillis } from "../../src/core/time.ts";
import { dynamoDBStore } from "../../src/dynamodb.ts";
import { type HttpEvent, http } from "../../src/http.ts";
import { idempotent } from "../../src/index.ts";
import { signature } from "../../src/webhooks.ts";
import { eventOf } from "../lambda/http/kit.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { faultyClient } from "../support/dynamodb-faults.ts";
import { BODY, NOW, OTHER, SECRET, standard } from "./kit.ts";

const local = await localDynamoDB();

async function webhook() {
  const tableName = await local.createTable();
  const { client, sent } = faultyClient(local, []);
  const runs: string[] = [];
  const key = signature({ secrets: [SECRET], clock: { now: () => epochMillis(NOW * 1000) } });
  const handler = idempotent(
    async (event: HttpEvent) => {
      runs.push(String(event.body));
      return { statusCode: 200, body: "done" };
    },
    { store: dynamoDBStore({ tableName, client }), operation: "webhook", binding: http({ principal: false, key }) },
  );
  const items = async () => (await local.client().send(new ScanCommand({ TableName: tableName }))).Items ?? [];
  const deliver = (more: Parameters<typeof standard>[1] = {}, body = BODY) =>
    handler(eventOf("HTTP API", { headers: standard(body, more), body }));
  return { deliver, runs, sent, items };
}

it("sends nothing to the table before a signature holds", async () => {
  const { deliver, runs, sent, items } = await webhook();
  expect(await deliver({ secret: OTHER })).toMatchObject({ statusCode: 401 });
  expect(await deliver({ seconds: NOW - 301 })).toMatchObject({ statusCode: 401 });
  expect([runs, sent, await items()]).toStrictEqual([[], [], []]);
});

it("runs one of 20 equal deliveries, replays it for one request, and refuses other bytes under its id", async () => {
  const { deliver, runs, sent, items } = await webhook();
  const answers = await Promise.all(Array.from({ length: 20 }, () => deliver()));
  expect(answers.filter(({ statusCode }) => statusCode === 200 || statusCode === 409)).toHaveLength(20);
  expect(runs).toStrictEqual([BODY]);
  const before = sent.length;
  expect(await deliver({ seconds: NOW + 60 })).toMatchObject({ statusCode: 200, body: "done" });
  expect(sent.length - before).toBe(1);
  const [stored] = await items();
  expect(await deliver({}, BODY.replace("12", "13"))).toMatchObject({ statusCode: 422 });
  expect([await items(), runs]).toStrictEqual([[stored], [BODY]]);
});
