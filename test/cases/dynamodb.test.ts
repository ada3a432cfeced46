import { describe, expect, it } from "vitest";
import { httpCases } from "../../bench/cases/http.ts";
import { keys } from "../../bench/cases/keys.ts";
import { locks } from "../../bench/cases/locks.ts";
import { inMiddy } from "../../bench/cases/middy.ts";
import { ours } from "../../bench/cases/ours.ts";
import { records } from "../../bench/cases/records.ts";
import { makeWorld } from "../../bench/cases/world.ts";
import { localDynamoDB } from "../support/dynamodb.ts";

const local = await localDynamoDB();

/** The cases of `npm run bench:cases`, our side alone: what is compared in public is guarded here. */
describe("over DynamoDB Local", () => {
  it.each([...locks, ...inMiddy, ...keys, ...httpCases, ...records].map((one) => [one.id, one.title, one] as const))(
    "%s: %s",
    async (_id, _title, one) => {
      const world = await makeWorld(local, ours, []);
      try {
        const observed = await one.run(world);
        expect(one.holds({ answers: {}, facts: {}, ...observed, runs: world.runs() })).toBe(true);
      } finally {
        world.close();
      }
    },
    30_000,
  );
});
