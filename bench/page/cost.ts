import type { Sized } from "../cost/paths.ts";
import { type Bill, PRICES, perMillion, WHOLE_PROCESSOR_MB } from "../cost/prices.ts";
import { KINDS } from "../cost/results.ts";
import type { FreshFigure } from "../measure/fresh.ts";
import { growth } from "./growth.ts";
import { bytes, page, ratio, table } from "./table.ts";

export type Cpu = FreshFigure[number];

/** What the page is made of. */
export interface Counted {
  readonly sized: readonly Sized[];
  readonly paths: Readonly<Record<string, Bill>>;
  readonly repeated: Readonly<Record<string, Bill>>;
  readonly cpu: readonly Cpu[];
}

const dollars = (value: number): string => value.toFixed(value < 1 ? 3 : 2);
const price = (bill: Bill | undefined): string => (bill === undefined ? "-" : dollars(perMillion(bill)));
const units = ({ write, read }: Bill): string =>
  [write > 0 ? `${write} w` : "", read > 0 ? `${read} r` : ""].filter((part) => part !== "").join(" ") || "0";

/** The whole of docs/cost.md. */
export function costPage(about: string, { sized, paths, repeated, cpu }: Counted): string {
  const { region, listed, sources } = PRICES;
  const parts = [
    "# What it costs",
    `Written by \`npm run bench:cost\`: ${about}.`,
    `Requests and capacity units are counted on DynamoDB Local, where both libraries run over the same SDK client. The prices are those of ${region}, ` +
      `on demand, as listed since ${listed}: $${PRICES.write} per million write request units, $${PRICES.read} per million read request units, ` +
      `$${PRICES.storage} per GB and month ([DynamoDB](${sources[0]}), [Lambda](${sources[1]})); they are copied into \`bench/cost/prices.ts\` by hand, and are to be ` +
      "checked against your own Region's. The peer is `@aws-lambda-powertools/idempotency`.",
    "DynamoDB rounds each write up to whole kB and each read to 4 kB. It bills a conditional write that *fails*, which a replay is, by the record that " +
      "stands there, and a transaction twice; neither is told by DynamoDB Local, so both are computed from the items. Expired records are deleted for nothing.",
    "## By size of the result",
    "Dollars per million calls, and the units of one (w: write, r: read). *Plain* is lambda-once with `codec: json({ compressAbove: Infinity })`; results of more than 700 bytes are compressed " +
      "otherwise. *Looked up first* is what `lookup: 'auto'` does where a repetition is likely and `'first'` does always. A process that has kept a result (`cache`) replays it for nothing.",
    ...(["order", "noise"] as const).flatMap((kind) => [
      `Results of ${KINDS[kind]}${kind === "noise" ? ", which hardly compress" : ""}:`,
      sizesTable(sized.filter((one) => one.kind === kind)),
    ]),
    "## By what a call meets",
    "With small results, of less than 1 kB in all. A commit is a transaction of the record and the writes, each billed twice.",
    table(
      ["path", "requests", "units", "$ per million"],
      [
        ...Object.entries(paths),
        ...Object.entries(repeated).map(([name, bill]) => [`each ${name}`, bill] as const),
      ].map(([name, bill]) => [name, bill.requests, units(bill), price(bill)]),
    ),
    "A renewal comes at a third of the lock's length, and only where the function outlives it. A call that waits reads with growing pauses, " +
      "at most 60 times; `{ once: true }` writes a step's beginning too. `lookup: 'first'` adds half a read unit to each first execution.",
    ...growth(sized),
    "## Lambda's time beside it",
    lambdaTime(cpu),
  ];
  return page(parts);
}

function sizesTable(sized: readonly Sized[]): string {
  const cell = (bill: Bill | undefined): string => (bill === undefined ? "-" : `${price(bill)} (${units(bill)})`);
  return table(
    [
      "result",
      "first execution",
      "plain",
      "peer",
      "replay",
      "plain",
      "peer",
      "replay, looked up first",
      "plain",
      "peer",
    ],
    sized.map(({ bytes: size, bills: { first, replay, looked } }) => [
      bytes(size),
      ...[first, replay].flatMap((bills) => ["ours", "plain", "peer"].map((name) => cell(bills[name]))),
      ...["ours", "plain"].map((name) => cell(looked[name])),
      "-",
    ]),
  );
}

/** A millisecond of CPU time costs the same at every memory below a whole processor's: twice the memory is half the time. */
function lambdaTime(cpu: readonly Cpu[]): string {
  const perMillisecond = (WHOLE_PROCESSOR_MB / 1_024) * 0.001 * PRICES.lambda * 1e6;
  const label: Readonly<Record<string, string>> = {
    light: "light client",
    own: "SDK, its own client",
    sdk: "SDK, the peer's client",
  };
  const rows = cpu.flatMap(({ handler, less }) =>
    label[handler] === undefined ? [] : [[label[handler], ratio(less)]],
  );
  return [
    `Below ${WHOLE_PROCESSOR_MB.toLocaleString("en")} MB a function has that part of a processor, so that a millisecond of CPU time costs the same at every size: ` +
      `about $${dollars(perMillisecond)} per million calls. At 128 MB it is ${ratio(WHOLE_PROCESSOR_MB / 128)} ms that a caller waits. How many milliseconds a call takes depends on the ` +
      "processor; the ratio to the peer does less. CPU time of calls 11 to 100 of a fresh process, first executions over TLS, how many times less than the peer's:",
    table(["", "less"], rows),
    "All measurements are in [the benchmarks](benchmarks.md). Not counted here: the time that a function waits for DynamoDB, which is the same for both as long as they make as many requests.",
  ].join("\n\n");
}
