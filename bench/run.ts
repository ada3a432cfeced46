import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleEntries, bundleFile, markAsModules } from "./bundle.ts";
import { PATHS, type Scenario } from "./cpu/scenario.ts";
import { compare, importTimes, quantile, startSubject } from "./measure.ts";

/** What we aim at: this part of the peer's CPU time on every path, over equal SDK clients. */
const AIM = 0.7;
const IMPORT_ROUNDS = 7;

const PEER = "@aws-lambda-powertools/idempotency";
const ENTRIES: Readonly<Record<string, { readonly ours: readonly string[]; readonly peer: readonly string[] }>> = {
  wrapper: { ours: ["lambda-once"], peer: [PEER] },
  "DynamoDB store": { ours: ["lambda-once/dynamodb"], peer: [`${PEER}/dynamodb`] },
  "Middy middleware": { ours: ["lambda-once/middy"], peer: [`${PEER}/middleware`] },
  "wrapper and DynamoDB store": { ours: ["lambda-once", "lambda-once/dynamodb"], peer: [PEER, `${PEER}/dynamodb`] },
  "codecs, persistence": { ours: ["lambda-once/codecs"], peer: [`${PEER}/persistence`] },
  testing: { ours: ["lambda-once/testing"], peer: [] },
};

const given = (path: Scenario["path"], keys: readonly Scenario["key"][]): Scenario[] =>
  keys.flatMap((key) => ([200, 5_000] as const).map((bytes) => ({ path, bytes, key, client: "given" }) as const));

const SCENARIOS: readonly Scenario[] = [
  ...given("first", ["field", "event"]),
  ...given("replaySeen", ["field", "event"]),
  ...given("replayNew", ["field", "event"]),
  ...given("missingRefused", ["field"]),
  ...given("missingRun", ["field"]),
  ...(["first", "replaySeen", "replayNew"] as const).map(
    (path) => ({ path, bytes: 200, key: "field", client: "own" }) as const,
  ),
];

const row = (...cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);
/** The median, and between what half of the rounds lie. */
const range = (ratios: readonly number[]): string =>
  `${quantile(ratios, 0.5).toFixed(2)} (${quantile(ratios, 0.25).toFixed(2)} - ${quantile(ratios, 0.75).toFixed(2)})`;
const rule = (columns: number): void => row(...Array.from({ length: columns }, () => "---"));

const SUBJECTS = {
  sdk: new URL("./cpu/sdk.ts", import.meta.url),
  ours: new URL("./cpu/ours.ts", import.meta.url),
  peer: new URL("./cpu/peer.ts", import.meta.url),
} as const;

const storing = SCENARIOS.filter(({ path, client }) => !path.startsWith("missing") && client === "given");

async function compareCpu(folder: string): Promise<void> {
  const start = async (name: keyof typeof SUBJECTS, scenarios: readonly Scenario[]) =>
    startSubject(name, await bundleFile(SUBJECTS[name], folder, `cpu-${name}`), scenarios);
  const [sdk, ours, peer] = [
    await start("sdk", storing),
    await start("ours", SCENARIOS),
    await start("peer", SCENARIOS),
  ];
  const ratios = new Map<Scenario["path"], number[]>();

  console.log("## CPU per call\n");
  console.log(
    "Bare SDK: as many requests as the path takes, with the least in them. No library over this client can go below it.\n",
  );
  row("path", "event", "key", "SDK client", "ours, µs", "peer, µs", "ours / peer", "bare SDK / peer");
  rule(8);
  try {
    for (const scenario of SCENARIOS) {
      const { path, bytes, key, client } = scenario;
      const costs = await compare(storing.includes(scenario) ? [sdk, ours, peer] : [ours, peer], scenario);
      const [mine, theirs] = [costs.get("ours"), costs.get("peer")];
      if (mine === undefined || theirs === undefined) throw new Error("a side was not measured");
      if (client === "given") ratios.set(path, [...(ratios.get(path) ?? []), ...mine.ratios]);
      const floor = costs.get("sdk");
      row(
        PATHS[path],
        `${bytes} B`,
        key,
        client,
        mine.cpu.toFixed(1),
        theirs.cpu.toFixed(1),
        range(mine.ratios),
        floor === undefined ? "-" : range(floor.ratios),
      );
    }
  } finally {
    for (const subject of [sdk, ours, peer]) subject.end();
  }
  console.log(`\nThe aim: at most ${AIM * 100} % of the peer's CPU on every path, over equal SDK clients.\n`);
  for (const [path, all] of ratios) {
    const ratio = quantile(all, 0.5);
    console.log(
      `- ${PATHS[path]}: ${ratio <= AIM ? "reached" : "**missed**"}, ${Math.round(ratio * 100)} % over all events`,
    );
  }
}

async function compareEntries(folder: string): Promise<void> {
  const built: {
    readonly name: string;
    readonly side: string;
    readonly bundle: Awaited<ReturnType<typeof bundleEntries>>;
  }[] = [];
  for (const [name, sides] of Object.entries(ENTRIES)) {
    for (const [side, entries] of Object.entries(sides)) {
      if (entries.length > 0)
        built.push({ name, side, bundle: await bundleEntries(entries, folder, `entry-${built.length}`) });
    }
  }
  const times = await importTimes(
    built.map(({ bundle }) => bundle.path),
    IMPORT_ROUNDS,
  );
  const find = (name: string, side: string) => built.findIndex((one) => one.name === name && one.side === side);
  const kB = (bytes: number | undefined): string => (bytes === undefined ? "-" : (bytes / 1_000).toFixed(1));
  const ms = (at: number): string => times[at]?.toFixed(1) ?? "-";

  console.log("\n## Import time and bundle size of each entry\n");
  console.log("Import: CPU ms in a fresh process, SDK in the bundle. Size: kB, minified, gzip.\n");
  row("entry", "import, ours", "import, peer", "size with SDK, ours", "peer", "size without SDK, ours", "peer");
  rule(7);
  for (const name of Object.keys(ENTRIES)) {
    const [mine, theirs] = [find(name, "ours"), find(name, "peer")];
    const [a, b] = [built[mine]?.bundle, built[theirs]?.bundle];
    row(name, ms(mine), ms(theirs), kB(a?.withSdk), kB(b?.withSdk), kB(a?.withoutSdk), kB(b?.withoutSdk));
  }
}

const folder = await mkdtemp(join(tmpdir(), "lambda-once-bench-"));
try {
  await markAsModules(folder);
  console.log(
    `Node.js ${process.version}. Medians of interleaved rounds; on a shared machine only ratios mean anything.\n`,
  );
  await compareCpu(folder);
  await compareEntries(folder);
} finally {
  await rm(folder, { recursive: true });
}
