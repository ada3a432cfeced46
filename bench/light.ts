/**
 * What a call costs over `lambda-once/dynamodb/light` and over the SDK's client: CPU time of fresh processes, each a
 * bundled handler that talks TLS to a server in this one. Ends with the sizes. `node --conditions=lambda-once-source
 * --import tsx bench/light.ts [rounds]`
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { bundleFile, markAsModules } from "./bundle.ts";
import type { Told } from "./light/calls.ts";
import { startServer } from "./light/server.ts";
import { quantile } from "./measure.ts";

const ROUNDS = Number(process.argv[2] ?? 7);
const WARM_ROUNDS = Math.ceil(ROUNDS / 2);
const SIDES = ["light", "sdk"] as const;
const PATHS = ["first", "replay"] as const;
const median = (values: readonly number[]): number => quantile(values, 0.5);
const row = (...cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);

const folder = await mkdtemp(join(tmpdir(), "lambda-once-light-"));
const server = await startServer(folder);
try {
  await markAsModules(folder);
  const bundles = Object.fromEntries(
    await Promise.all(
      SIDES.map(async (side) => [side, await bundleFile(new URL(`./light/${side}.ts`, import.meta.url), folder, side)]),
    ),
  ) as Record<(typeof SIDES)[number], string>;

  const run = async (flags: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> => {
    const env = {
      ...process.env,
      ...more,
      AWS_ENDPOINT_URL_DYNAMODB: server.endpoint,
      NODE_EXTRA_CA_CERTS: server.certificate,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_SESSION_TOKEN: "t".repeat(900),
    };
    return (await promisify(execFile)(process.execPath, ["--no-warnings", ...flags], { env })).stdout;
  };
  const tell = async (
    side: (typeof SIDES)[number],
    path: string,
    more: Readonly<Record<string, string>>,
  ): Promise<Told> => JSON.parse(await run([bundles[side]], { ...more, LAMBDA_ONCE_TABLE: path }));
  const empty = "const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)";

  const bare: number[] = [];
  const prewarmed: number[] = [];
  const told = new Map<string, Told[]>();
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(Number(await run(["--input-type=module", "-e", empty])));
    prewarmed.push((await tell("light", "first", { PREWARM: "yes" })).calls[0] ?? 0);
    for (const path of PATHS) {
      for (const side of round % 2 === 0 ? SIDES : [...SIDES].reverse()) {
        const key = `${path} ${side}`;
        told.set(key, [...(told.get(key) ?? []), await tell(side, path, { WARM: round < WARM_ROUNDS ? "yes" : "no" })]);
      }
    }
  }
  const of = (path: string, side: string, pick: (one: Told) => number | undefined): number =>
    median((told.get(`${path} ${side}`) ?? []).map(pick).filter((value) => value !== undefined));

  console.log(`Node.js ${process.version}, medians of ${ROUNDS} fresh processes, in turn. CPU ms a call.\n`);
  row("path", "calls", "light", "SDK", "SDK / light");
  row("---", "---", "---", "---", "---");
  const compare = (path: string, what: string, pick: (one: Told) => number | undefined, minus = 0): void => {
    const [light, sdk] = [of(path, "light", pick) - minus, of(path, "sdk", pick) - minus];
    row(path, what, light.toFixed(2), sdk.toFixed(2), (sdk / light).toFixed(1));
  };
  compare("first", "load, client and wrapper", ({ ready }) => ready, median(bare));
  row("first", "1, after prewarm()", median(prewarmed).toFixed(2), "-", "-");
  for (const path of PATHS) {
    for (const [at, range] of ["1", "2 - 10", "11 - 100", "3,001 - 6,000"].entries()) {
      compare(path, range, ({ calls }) => calls[at]);
    }
  }
  const sizes = await Promise.all(SIDES.map(async (side) => gzipSync(await readFile(bundles[side])).length / 1_000));
  row(
    "size",
    "bundle, minified, gzip, kB",
    ...sizes.map((size) => size.toFixed(1)),
    ((sizes[1] ?? 0) / (sizes[0] ?? 1)).toFixed(1),
  );
} finally {
  server.stop();
  await rm(folder, { recursive: true });
}
