import { type LocalDynamoDB, localConfig } from "../../infra/local/dynamodb-local.ts";
import { median, ratios } from "../stats.ts";
import { MANY, type Path, type Scenario } from "../subjects/scenario.ts";
import { type Child, startChild } from "./child.ts";
import { cpuOf } from "./cpu.ts";

/** Replays per second through the same DynamoDB Local, by subject; `more` is how many times as many as the peer's. */
export interface Throughput {
  readonly path: Path;
  readonly concurrent: number;
  readonly perSecond: Readonly<Record<string, number>>;
  readonly more: Readonly<Record<string, number>>;
  /** CPU time that DynamoDB Local itself takes for one of them, in µs; 0 where the system does not tell. */
  readonly local: number;
}

const REPLAYS = (["many", "again"] as const).map((path): Scenario => ({ path, event: 200, key: "field", result: 200 }));

/** Every subject in turn, in slices of about half a second, at each number of calls at a time. */
export async function throughput(
  local: LocalDynamoDB,
  bundles: Readonly<Record<string, string>>,
  { rounds, slice, levels }: { readonly rounds: number; readonly slice: number; readonly levels: readonly number[] },
): Promise<readonly Throughput[]> {
  const children: Record<string, Child> = {};
  try {
    for (const [name, bundle] of Object.entries(bundles)) {
      children[name] = startChild(bundle, {
        AWS_ENDPOINT_URL_DYNAMODB: local.endpoint,
        AWS_REGION: localConfig.region,
        AWS_ACCESS_KEY_ID: localConfig.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: localConfig.credentials.secretAccessKey,
        BENCH_TABLE: await local.createTable(),
      });
      for (const scenario of REPLAYS) {
        await children[name].run({ scenario, calls: 1 });
        await children[name].run({ scenario, calls: 2 * MANY - 1, concurrent: 10 });
      }
    }
    const found: Throughput[] = [];
    const spent = await cpuOf("-port", new URL(local.endpoint).port);
    for (const [scenario, concurrent] of REPLAYS.flatMap((one) => levels.map((level) => [one, level] as const))) {
      const rates = Object.fromEntries(Object.keys(children).map((name): [string, number[]] => [name, []]));
      const calls: Record<string, number> = {};
      let [made, taken] = [0, 0];
      for (let round = 0; round < rounds; round++) {
        const inTurn = Object.entries(children);
        for (const [name, child] of round % 2 === 0 ? inTurn : inTurn.reverse()) {
          const count = calls[name] ?? (await callsFor(child, { scenario, concurrent }, slice));
          calls[name] = count;
          const before = await spent();
          const { elapsed } = await child.run({ scenario, calls: count, concurrent });
          taken += ((await spent()) ?? 0) - (before ?? 0);
          made += count;
          rates[name]?.push((count / elapsed) * 1_000);
        }
      }
      const peer = rates["peer"] ?? [];
      const by = (pick: (all: readonly number[]) => number): Readonly<Record<string, number>> =>
        Object.fromEntries(Object.entries(rates).map(([name, all]) => [name, pick(all)]));
      found.push({
        path: scenario.path,
        concurrent,
        perSecond: by(median),
        more: by((all) => median(ratios(all, peer))),
        local: taken / made,
      });
    }
    return found;
  } finally {
    for (const child of Object.values(children)) child.end();
  }
}

/** How many calls take about so many milliseconds. */
async function callsFor(
  child: Child,
  batch: { readonly scenario: Scenario; readonly concurrent: number },
  slice: number,
): Promise<number> {
  const calls = 20 * batch.concurrent;
  const { elapsed } = await child.run({ ...batch, calls });
  return Math.max(calls, Math.round((slice / elapsed) * calls));
}
