import { type Coverage, coverageOf } from "./faults.ts";
import type { Violation } from "./invariants.ts";
import { type Simulated, simulate } from "./simulate.ts";
import type { Mutant } from "./simulation.ts";

/** What came of many seeds. */
export interface Campaign {
  readonly seeds: number;
  readonly calls: number;
  readonly faults: number;
  readonly failures: readonly { readonly seed: number; readonly violations: readonly Violation[] }[];
  readonly cells: readonly (readonly number[])[];
}

/** Runs the seeds from `from` up to and with `to`; stops at the first one that fails where `stops` says so. */
export async function runSeeds(from: number, to: number, mutant?: Mutant, stops = false): Promise<Campaign> {
  const coverage = coverageOf();
  const failures: { seed: number; violations: readonly Violation[] }[] = [];
  const sums = { seeds: 0, calls: 0, faults: 0 };
  for (let seed = from; seed <= to; seed++) {
    const { violations, calls, faults } = await simulate(seed, { mutant, coverage });
    sums.seeds++;
    sums.calls += calls;
    sums.faults += faults;
    if (violations.length > 0) failures.push({ seed, violations });
    if (stops && failures.length > 0) break;
  }
  return { ...sums, failures, cells: coverage.cells };
}

/** Both together. */
export function sumOf(campaigns: readonly Campaign[]): Campaign & { readonly coverage: Coverage } {
  const coverage = coverageOf();
  for (const { cells } of campaigns) coverage.add(cells);
  const sum = (of: (campaign: Campaign) => number): number => campaigns.reduce((total, one) => total + of(one), 0);
  return {
    coverage,
    cells: coverage.cells,
    seeds: sum(({ seeds }) => seeds),
    calls: sum(({ calls }) => calls),
    faults: sum(({ faults }) => faults),
    failures: campaigns.flatMap(({ failures }) => failures).sort((one, other) => one.seed - other.seed),
  };
}

/** The seed's run with as few of its faults as still break it, traced. */
export async function shortest(seed: number, mutant?: Mutant): Promise<Simulated> {
  const whole = await simulate(seed, { mutant, traced: true });
  if (whole.violations.length === 0) return whole;
  for (let mostFaults = 0; mostFaults < whole.faults; mostFaults++) {
    const less = await simulate(seed, { mutant, traced: true, mostFaults });
    if (less.violations.length > 0) return less;
  }
  return whole;
}
