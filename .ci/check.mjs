/**
 * Everything that must hold, in one command: two lanes of static checks side by side (made for two cores), then the
 * tests alone, since they measure time. One line a step; the whole output of a step that fails.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
process.env.PATH = join(process.cwd(), "node_modules", ".bin") + delimiter + process.env.PATH;
if (!process.stdout.isTTY) {
  delete process.env.FORCE_COLOR;
  process.env.NO_COLOR = "1";
}
const scratch = mkdtempSync(join(tmpdir(), "lambda-once-check-"));
const tarball = join(scratch, `lambda-once-${JSON.parse(readFileSync("package.json", "utf8")).version}.tgz`);
const report = join(scratch, "vitest.json");

const types = ["src", "test", "infra", "bench"]
  .filter(hasSources)
  .map((folder) => [`types of ${folder}`, `tsc -p ${folder === "src" ? "." : folder}`]);
const rules = [
  ["format and lint", "biome ci --colors=off --error-on-warnings"],
  ["import rules", "depcruise src infra bench"],
  ["unused code", "knip"],
  ["examples", "node .ci/examples.mjs"],
];
/** Each needs the one before it: a broken build is not packed. */
const packaging = [
  ["build", "tsdown --logLevel warn"],
  ["pack", `npm pack --ignore-scripts --silent --pack-destination ${scratch}`],
  ["package", `publint run ${tarball} --strict`],
  ["package types", `attw ${tarball} --profile esm-only`],
  ["root without peers", `node .ci/consumer.mjs ${tarball}`],
  ["size", "size-limit"],
];

const started = Date.now();
const lanes = await Promise.all([(async () => [await all(types), await chain(packaging)])(), all(rules)]);
const tests = await step(
  "tests",
  `vitest run --coverage --coverage.reporter=text-summary --reporter=default --reporter=json --outputFile.json=${report}`,
  true,
);
const { passed, failed } = totals();
rmSync(scratch, { recursive: true, force: true });

const ok = lanes.flat().every(Boolean) && tests;
console.log(`\n${ok ? "all checks hold" : "NOT all checks hold"} (${seconds(started)})`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = ok ? 0 : 1;

async function all(steps) {
  let ok = true;
  for (const [name, command] of steps) ok = (await step(name, command)) && ok;
  return ok;
}

async function chain(steps) {
  for (const [name, command] of steps) if (!(await step(name, command))) return false;
  return true;
}

/** Runs one command; says what came of it, and shows its output when it failed (or as it comes, if `live`). */
function step(name, command, live = false) {
  const start = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, stdio: live ? "inherit" : ["ignore", "pipe", "pipe"] });
    const output = [];
    child.stdout?.on("data", (chunk) => output.push(chunk));
    child.stderr?.on("data", (chunk) => output.push(chunk));
    child.on("close", (code) => {
      console.log(`${code === 0 ? "ok  " : "FAIL"} ${name} (${seconds(start)})`);
      if (code !== 0 && !live) console.log(`$ ${command}\n${Buffer.concat(output)}`);
      resolve(code === 0);
    });
  });
}

/** tsc fails on a folder without sources; infra and bench may have none yet. */
function hasSources(folder) {
  return readdirSync(folder, { recursive: true }).some((file) => file.endsWith(".ts"));
}

/** From vitest's own report; a file that could not even be loaded counts as one failure, and so does a run without tests. */
function totals() {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
    const unloaded = testResults.filter(({ status, assertionResults }) => {
      return status === "failed" && assertionResults.every((test) => test.status !== "failed");
    });
    const failed = numFailedTests + unloaded.length;
    return { passed: numPassedTests, failed: numPassedTests + failed === 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
