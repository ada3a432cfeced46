/**
 * The engine on simulated time, seed by seed: `npm run proof:simulate`. Exit code 0: every invariant holds in every seed and
 * every cell was met; 1: not so; 2: the arguments are wrong. docs/simulation.md says what is simulated.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Campaign, runSeeds, shortest, sumOf } from "./campaign.ts";
import { coverageTable, uncovered } from "./faults.ts";
import { INVARIANTS } from "./invariants.ts";
import { MUTANTS } from "./mutants.ts";
import type { Order } from "./shard.ts";

const USAGE = `npm run proof:simulate -- [options]

  --seeds 100000   how many seeds
  --from 1         the first of them
  --processes 2    how many processes share them; default: as many as there are processors
  --seed N         this seed alone, with a line for everything that happens
  --mutants        the deliberately broken engines, each until it is caught, 5,000 seeds at most
  --mutant NAME    with --seed: the engine that is broken so`;

const CHUNK = 100;
const MOST_SEEDS_OF_A_MUTANT = 5_000;

function given() {
  return parseArgs({
    options: {
      seeds: { type: "string", default: "100000" },
      from: { type: "string", default: "1" },
      processes: { type: "string", default: String(availableParallelism()) },
      seed: { type: "string" },
      mutants: { type: "boolean", default: false },
      mutant: { type: "string" },
    },
  }).values;
}

async function main(): Promise<number> {
  let values: ReturnType<typeof given>;
  try {
    values = given();
    for (const name of ["seeds", "from", "processes", "seed"] as const) {
      if (values[name] !== undefined && !/^[1-9]\d*$/.test(values[name]))
        throw new Error(`${name} is '${values[name]}'; allowed is a whole number above zero`);
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (values.mutants) return breakEngines();
  if (values.seed !== undefined) return showSeed(Number(values.seed), values.mutant);
  return runAll(Number(values.from), Number(values.seeds), Number(values.processes));
}

async function runAll(from: number, seeds: number, processes: number): Promise<number> {
  const begun = performance.now();
  const orders: Order[] = [];
  for (let first = from; first < from + seeds; first += CHUNK)
    orders.push({ from: first, to: Math.min(first + CHUNK, from + seeds) - 1 });
  const count = Math.min(processes, orders.length);
  const campaigns = await Promise.all(Array.from({ length: count }, () => share(orders)));
  const sum = sumOf(campaigns.flat());
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);

  console.log(`${sum.seeds} seeds, ${sum.calls} calls, ${sum.faults} faults, ${seconds} s in ${count} processes\n`);
  for (const [name, what] of Object.entries(INVARIANTS)) {
    const failed = sum.failures.filter(({ violations }) => violations.some(({ invariant }) => invariant === name));
    console.log(
      `${failed.length === 0 ? "holds " : "BROKEN"} ${name}: ${what}${failed.length === 0 ? "" : `  (${failed.length} seeds)`}`,
    );
  }
  console.log(`\nrequests x faults:\n${coverageTable(sum.coverage)}`);
  const missed = uncovered(sum.coverage);
  if (missed.length > 0) console.log(`\nNOT MET: ${missed.join("; ")}`);
  for (const { seed, violations } of sum.failures.slice(0, 20))
    console.log(`\nseed ${seed}: ${violations.map(({ invariant, what }) => `${invariant}: ${what}`).join("\n  ")}`);
  const [first] = sum.failures;
  if (first !== undefined) await showSeed(first.seed);
  return sum.failures.length > 0 || missed.length > 0 ? 1 : 0;
}

/** One process that takes chunks until none is left. */
function share(orders: Order[]): Promise<Campaign[]> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("shard.ts", import.meta.url)), { execArgv: process.execArgv });
    const campaigns: Campaign[] = [];
    const next = (): void => {
      const order = orders.shift();
      if (order === undefined) child.disconnect();
      else child.send(order);
    };
    child.on("message", (campaign: Campaign) => {
      campaigns.push(campaign);
      next();
    });
    child.on("exit", (code) => {
      if (code === 0) resolve(campaigns);
      else reject(new Error(`a process of the simulation ended with ${code}`));
    });
    next();
  });
}

/** Everything that happens in one seed; where it fails, with as few faults as still break it. */
async function showSeed(seed: number, name?: string): Promise<number> {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (name !== undefined && mutant === undefined) {
    console.error(`there is no mutant '${name}'; there are: ${MUTANTS.map((one) => one.name).join("; ")}`);
    return 2;
  }
  const { lines, violations, faults } = await shortest(seed, mutant);
  console.log(
    `\nseed ${seed}${violations.length > 0 ? `, with its first ${faults} faults` : ""}:\n${lines.join("\n")}`,
  );
  console.log(violations.length > 0 ? `\n${violations.length} violations` : "\nall invariants hold");
  return violations.length > 0 ? 1 : 0;
}

async function breakEngines(): Promise<number> {
  let missed = 0;
  console.log("| broken engine | caught at seed | by |\n|---|--:|---|");
  for (const mutant of MUTANTS) {
    const { failures } = await runSeeds(1, MOST_SEEDS_OF_A_MUTANT, mutant, true);
    const [first] = failures;
    const [violation] = first?.violations ?? [];
    const caught = first === undefined ? "NOT CAUGHT" : String(first.seed);
    if (first === undefined && mutant.equivalent === undefined) missed++;
    console.log(`| ${mutant.name} | ${caught} | ${violation?.invariant ?? mutant.equivalent ?? ""} |`);
  }
  console.log(missed === 0 ? "\nevery broken engine is caught" : `\n${missed} broken engines are NOT caught`);
  return missed === 0 ? 0 : 1;
}

process.exitCode = await main();
