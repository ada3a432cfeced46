import { afterAll, describe, expect, it, vi } from "vitest";
import { localDynamoDB } from "../support/dynamodb.ts";
import type { Fault } from "./crash/faults.ts";
import { flowOf } from "./crash/flows.ts";
import { cellsOf, prepareGround, runCells } from "./crash/matrix.ts";
import { totalsOf } from "./crash/table.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** `npm run proof:crash` runs all cells, docs/crash-matrix.md shows them. These take seconds. */
const ground = await prepareGround(await localDynamoDB(), 4);
afterAll(() => ground.close());

/** The faults, and whether a duplicate comes with them. */
const QUICK: ReadonlyMap<Fault, boolean> = new Map([
  ["lost", true],
  ["conflict", true],
  ["killed before", false],
  ["killed after", true],
]);

const holds = { doubleCommits: 0, lostResults: 0, stuckKeys: 0, wrongEffects: 0, violated: 0 };

describe("a part of the crash matrix, on DynamoDB Local", () => {
  it.each([
    ["plain", "sdk"],
    ["three steps", "light"],
    ["claim.write", "sdk"],
    ["claimAt 'commit'", "light"],
  ] as const)("%s over %s: no double commit, no lost result, no key stuck", async (name, transport) => {
    const all = await cellsOf(ground, flowOf(name), transport);
    // Those that wait for time-outs are left to the whole matrix.
    const quick = all.filter(({ extent, fault, duplicate }) => extent === "once" && QUICK.get(fault) === duplicate);
    const results = await runCells(ground, quick, 8);
    expect(results.flatMap(({ violations }) => violations)).toStrictEqual([]);
    expect(totalsOf(results)).toMatchObject({ ...holds, cells: quick.length });
    expect(new Set(quick.map(({ fault }) => fault)).size).toBe(QUICK.size);
  });
});
