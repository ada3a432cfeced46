import type { Sized } from "../cost/paths.ts";
import { type Bill, PARTITION, PRICES, perMillion } from "../cost/prices.ts";
import { bytes, table } from "./table.ts";

const DUPLICATES = [0, 0.05, 0.1, 0.25, 0.5] as const;
const SECONDS = 3_600;
const MONTH = 730;
/** What on-demand tables take by default, all partitions together. */
const TABLE_LIMIT = 40_000;

const count = (value: number): string => Math.floor(value).toLocaleString("en");

/** How the bill grows with duplicates, with one hot key and with many keys: sums over the counted units. */
export function growth(sized: readonly Sized[]): readonly string[] {
  const orders = sized.filter(({ kind }) => kind === "order");
  const of = (size: number): Sized => {
    const found = orders.find((one) => one.bytes === size);
    if (found === undefined) throw new Error(`nothing was counted for ${size} bytes`);
    return found;
  };
  return ["## As it grows", ...duplicates(of(5_000)), ...hotKey(orders), ...manyKeys(of(200))];
}

/** The bill of one library's path; absent ones cost nothing here, and are a mistake. */
function bill(bills: Readonly<Record<string, Bill>>, name: string): Bill {
  const found = bills[name];
  if (found === undefined) throw new Error(`nothing was counted for ${name}`);
  return found;
}

function duplicates({ bills: { first, replay, looked } }: Sized): readonly string[] {
  const mixed = (part: number, once: number, again: number): string => ((1 - part) * once + part * again).toFixed(2);
  const [own, theirs] = [perMillion(bill(first, "ours")), perMillion(bill(first, "peer"))];
  const [again, theirAgain] = [perMillion(bill(replay, "ours")), perMillion(bill(replay, "peer"))];
  const seen = perMillion(bill(looked, "ours"));
  return [
    "**Duplicates**, results of 5 kB (order lines): dollars per million calls of which so many are repetitions. *Known* is `lookup: 'auto'` where every repetition is known as one (SQS tells, so " +
      "does a client's retry header, and a process knows the keys it has seen); *unknown* where none is; *always* is `lookup: 'first'`.",
    table(
      ["duplicates", "known", "unknown", "always", "peer"],
      DUPLICATES.map((part) => [
        `${part * 100} %`,
        mixed(part, own, seen),
        mixed(part, own, again),
        mixed(part, own + 0.5 * PRICES.read, seen),
        mixed(part, theirs, theirAgain),
      ]),
    ),
  ];
}

function hotKey(orders: readonly Sized[]): readonly string[] {
  return [
    `**One hot key** lives in one partition, which takes ${count(PARTITION.write)} write and ${count(PARTITION.read)} read units a second, whatever the table's capacity. Replays of one key that it takes ` +
      "in a second (computed, not measured); with `cache` a process asks once for each key:",
    table(
      ["result", "replay", "replay, looked up first", "peer"],
      orders.map(({ bytes: size, bills: { replay, looked } }) => [
        bytes(size),
        count(PARTITION.write / bill(replay, "ours").write),
        count(PARTITION.read / bill(looked, "ours").read),
        count(PARTITION.write / bill(replay, "peer").write),
      ]),
    ),
  ];
}

function manyKeys({ bills: { first } }: Sized): readonly string[] {
  const { write } = bill(first, "ours");
  const perSecond = (1e6 * write) / SECONDS;
  const perHour = perMillion(bill(first, "ours"));
  const kept = (24e6 * 1_024) / 1e9;
  return [
    `**A million keys an hour** with small results are ${count(perSecond)} write units a second, of the ${count(TABLE_LIMIT)} that a table on demand takes by default; record ids are hashes, so that they spread over all ` +
      `partitions. They cost $${perHour.toFixed(2)} an hour, $${count(perHour * MONTH)} a month, for the peer as well. Kept for 24 hours, ` +
      `24 million records of at most 1 kB are at most ${kept.toFixed(1)} GB, $${(kept * PRICES.storage).toFixed(2)} a month. A new table on demand takes 4,000 write units a second at once.`,
  ];
}
