import { randomUUID } from "node:crypto";
import { idempotent } from "lambda-once";
import { expect, it } from "vitest";
import { localConfig } from "../../infra/local/dynamodb-local.ts";
import { connect } from "../../src/store/light/connect.ts";
import { dynamoDBStore } from "../../src/store/light/dynamodb.ts";
import { checkLightOptions } from "../../src/store/light/options.ts";
import { lightRuntime } from "../../src/store/light/runtime.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { type Fate, lossyProxy } from "../support/lossy-proxy.ts";

const local = await localDynamoDB();
const tableName = await local.createTable();

/** Numbers that look random and are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

it.each([1, 2, 3, 4])("no function runs twice while requests and answers get lost, seed %i", async (seed) => {
  const random = numbers(seed);
  const fates: Fate[] = ["lost on the way there", "answer lost on the way back"];
  const proxy = await lossyProxy(local.endpoint, () => {
    const drawn = random();
    return drawn < 0.3 ? (fates[Math.floor(drawn / 0.15)] as Fate) : "passes";
  });
  const settings = checkLightOptions("lightClient", { ...localConfig, endpoint: proxy.origin, maxAttempts: 10 });
  const client = connect(settings, { ...lightRuntime, random: () => 0 });
  const runs = new Map<string, number>();
  const place = idempotent(
    async ({ id }: { readonly id: string }) => {
      const count = (runs.get(id) ?? 0) + 1;
      runs.set(id, count);
      return { id, count };
    },
    { store: dynamoDBStore({ client, tableName }), operation: `lossy-${seed}`, key: "id" },
  );
  const ids = Array.from({ length: 20 }, () => randomUUID());
  for (const id of ids) {
    const answers = await Promise.allSettled([place({ id }), place({ id }), place({ id })]);
    const later = await place({ id });
    expect(later).toStrictEqual({ id, count: 1 });
    for (const answer of answers) {
      if (answer.status === "fulfilled") expect(answer.value).toStrictEqual(later);
      else expect(answer.reason).toMatchObject({ code: "in_progress" });
    }
  }
  expect([...runs.values()]).toStrictEqual(ids.map(() => 1));
  client.destroy();
  await proxy.close();
});
