import type { Shares } from "../measure/profile.ts";
import type { Warm } from "../measure/warm.ts";
import type { Results } from "../results.ts";
import { PATHS } from "../subjects/scenario.ts";
import { figuresTable } from "./reached.ts";
import { bytes, page, ratio, table } from "./table.ts";
import { HOW, INTRODUCTION, NOT_MEASURED, reasons } from "./words.ts";

/** The whole of docs/benchmarks.md. */
export function benchmarksPage(about: string, results: Results): string {
  const parts = [
    "# Benchmarks",
    INTRODUCTION,
    `Written by \`npm run bench\` (${Math.ceil(results.minutes)} minutes): ${about}.`,
    HOW,
    "## The figures to reach",
    "Ratios to the peer: how many times less, or more a second. The bundle is compared by size; 25 kB is the aim of the light client.",
    figuresTable(results),
    ...reasons(results),
    "## Warm CPU time of a call, over TLS",
    "Microseconds, and how many times less than the peer's (quartiles over the rounds). Three floors beside them, with as many requests of about as many bytes: *parts* is `node:https`, the signer and JMESPath, with nothing " +
      "around them; *wire* is `node:https` alone, with no library, no signature and no time limit; *socket* is a socket of `node:tls` alone, without HTTP. No client of Node.js can go below that.",
    warmTable(results.tls, ["light", "own", "sdk", "parts", "wire", "socket"]),
    "## Warm CPU time of a call, HTTP answered in memory",
    "*own* is over the client that `dynamoDBStore()` makes by itself, which resolves its middleware and puts its user agent together once. *Bare* is that very client, asked for lambda-once's own requests " +
      "by nothing else: what the SDK takes for them.",
    warmTable(results.memory, ["light", "own", "sdk", "bare"]),
    "## Fresh processes",
    "CPU milliseconds of processes that import the bundled handler and call it, over TLS; memory after 1,000 calls and a collection. *SDK parts* is a client of the SDK and JMESPath, with nothing around them, as *parts* is for the light client. Lambda starts Node.js with flags for its memory, " +
      "and with any such flag Node.js compiles its own modules anew, `node:https` before all: that adds as much to every row that needs them, and has a row of its own.",
    freshTable(results),
    "## Bundle of a wrapped handler with its store",
    table(
      ["", "light", "parts", "own", "SDK, the same client", "SDK parts", "peer"],
      [
        [
          "kB, minified, gzip",
          ...["light", "parts", "own", "sdk", "sdkParts", "peer"].map((name) => kB(results.sizes[name])),
        ],
      ],
    ),
    "What the light client's is made of, minified and not compressed:",
    table(
      ["", "kB"],
      Object.entries(results.origins).map(([name, size]) => [name, kB(size)]),
    ),
    "The functions of the [demo](deploy.md), as `cdk synth` bundles them by `IdempotentFunction` and `NodeFunction`, without their source maps. *Payments* is over the light client; the " +
      "others use the SDK's for their own tables as well.",
    table(
      ["", ...Object.keys(results.constructs)],
      [
        ["kB, minified", ...Object.values(results.constructs).map(({ minified }) => kB(minified))],
        ["kB, minified, gzip", ...Object.values(results.constructs).map(({ gzip }) => kB(gzip))],
      ],
    ),
    "## Replays per second through one DynamoDB Local",
    "All processes of a run, DynamoDB Local's own too, share the machine's processors. Slices of half a second in turn, in several sets of processes, after 7,500 calls of each. " +
      "*Bare* is the client of *own*, asked for the same requests by nothing else, as above.",
    throughputTable(results),
    "## Requests and capacity units",
    "Counted on DynamoDB Local with small results; by size of the result in [what it costs](cost.md).",
    table(
      ["path", "requests", "write units", "read units"],
      Object.entries(results.bills).map(([name, { requests, write, read }]) => [name, requests, write, read]),
    ),
    "## Where the time goes",
    "The sampling profiler of `node --cpu-prof` on first executions and on replays kept in process, with a 200 B event: parts of the time that is not idle, by package, " +
      "and the functions that are most often on top. *Node.js* is its HTTP, TLS, streams and hashing, and the kernel's part of them.",
    profileTable(results.profiles),
    "## What is not measured",
    NOT_MEASURED,
  ];
  return page(parts);
}

const kB = (size: number | undefined): string => (size === undefined ? "-" : (size / 1_000).toFixed(1));

function warmTable(all: readonly Warm[], subjects: readonly string[]): string {
  const label = (name: string): string => (name === "sdk" ? "SDK" : name);
  return table(
    [
      "path",
      "event",
      "key",
      "result",
      ...subjects.map(label),
      "peer",
      ...subjects.map((name) => `${label(name)}: less`),
    ],
    all.map(({ scenario, cpu, less }) => [
      PATHS[scenario.path],
      bytes(scenario.event),
      scenario.key,
      bytes(scenario.result),
      ...[...subjects, "peer"].map((name) => cpu[name]?.toFixed(0) ?? "-"),
      ...subjects.map((name) => {
        const [middle, low, high] = less[name] ?? [];
        return middle === undefined ? "-" : `${ratio(middle)} (${ratio(low)} - ${ratio(high)})`;
      }),
    ]),
  );
}

function freshTable({ fresh }: Results): string {
  const isBytes = (name: string): boolean => name === "rss" || name === "heap";
  const names = ["light", "own", "sdk", "parts", "wire", "sdkParts"];
  const titles = ["light", "own", "SDK", "parts", "wire", "SDK parts"];
  return table(
    ["", ...titles, "peer", ...titles.map((title) => `${title}: less`)],
    Object.entries(fresh).map(([name, figure]) => {
      const of = (handler: string) => figure.find((one) => one.handler === handler);
      const value = (handler: string): string => {
        const found = of(handler)?.value;
        return found === undefined ? "-" : isBytes(name) ? (found / 1e6).toFixed(1) : found.toFixed(2);
      };
      const title = name === "rss" ? "memory, resident, MB" : name === "heap" ? "memory, heap used, MB" : name;
      return [title, ...[...names, "peer"].map(value), ...names.map((handler) => ratio(of(handler)?.less))];
    }),
  );
}

const throughputTable = ({ throughput }: Results): string =>
  table(
    [
      ...["keys", "at a time", "light", "own", "SDK", "bare", "peer"],
      ...["light: more", "own: more", "SDK: more", "bare: more"],
      "DynamoDB Local's own CPU time, µs for each",
    ],
    throughput.map(({ path, concurrent, perSecond, more, local }) => [
      PATHS[path],
      concurrent,
      ...["light", "own", "sdk", "bare", "peer"].map((name) => perSecond[name]?.toFixed(0) ?? "-"),
      ...["light", "own", "sdk", "bare"].map((name) => ratio(more[name])),
      local > 0 ? local.toFixed(0) : "-",
    ]),
  );

const profileTable = (profiles: readonly Shares[]): string =>
  table(
    ["subject", "calls", "packages", "functions"],
    profiles.map(({ subject, what, packages, functions }) => {
      const list = (parts: Shares["packages"]): string =>
        parts.map(([name, part]) => `${name.replaceAll("|", "/")} ${Math.round(part * 100)} %`).join(", ");
      return [subject === "sdk" ? "SDK" : subject, what, list(packages), list(functions)];
    }),
  );
