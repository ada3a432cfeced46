import { expect, test } from "vitest";
import { runSeeds, shortest, sumOf } from "./campaign.ts";
import { FAULTS, REQUESTS, uncovered } from "./faults.ts";
import { MUTANTS } from "./mutants.ts";
import { simulate } from "./simulate.ts";

/** `npm run proof:simulate` runs 100,000. */
const SEEDS = 2_000;

test("no invariant is broken in 2,000 simulated runs, and most requests meet most faults", async () => {
  const sum = sumOf([await runSeeds(1, SEEDS)]);
  expect(sum.failures).toEqual([]);
  expect(uncovered(sum.coverage).length).toBeLessThan((REQUESTS.length * FAULTS.length) / 10);
}, 120_000);

test("a seed is the same run every time", async () => {
  const [one, other] = [await simulate(23, { traced: true }), await simulate(23, { traced: true })];
  expect(one.lines.length).toBeGreaterThan(20);
  expect(other).toEqual(one);
});

const COMMON = MUTANTS.filter(({ rare, equivalent }) => rare === undefined && equivalent === undefined);

test.each(COMMON)(
  "catches: $name",
  async (mutant) => {
    const { failures, seeds } = await runSeeds(1, SEEDS, mutant, true);
    expect(failures, `not caught in ${seeds} seeds`).not.toEqual([]);
  },
  120_000,
);

test("a failing seed is shown with as few faults as still break it", async () => {
  const mutant = MUTANTS.find(({ name }) => name === "released after an unknown outcome");
  const { failures } = await runSeeds(1, SEEDS, mutant, true);
  const { violations, lines } = await shortest(failures[0]?.seed as number, mutant);
  expect(violations[0]?.invariant).toBe("I11");
  expect(lines.join("\n")).toMatch(/BROKEN {4}I11/);
}, 60_000);
