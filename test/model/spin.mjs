/** Runs Spin: the model to C by `spin -a`, C to a checker by gcc, and the checker over every reachable state. */
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DEPTH = 1_000_000;

/** What is missing, as a sentence that says what to install; `undefined` where nothing is. */
export async function missing() {
  const lacks = [];
  for (const [tool, flag] of [
    ["spin", "-V"],
    ["gcc", "--version"],
  ]) {
    if ((await run(tool, [flag], ".")).code !== 0) lacks.push(tool);
  }
  if (lacks.length === 0) return undefined;
  return `The model needs ${lacks.join(" and ")}: install with \`apt-get install spin gcc\` (Debian, Ubuntu) or \`brew install spin\` (macOS, with Xcode's gcc).`;
}

/**
 * Explores every state of a row: `"holds"`, `"violated"`, or `"incomplete"` with what went wrong. `states` is how many
 * there were until the answer was known.
 */
export async function explore(row) {
  return inScratch(async (folder) => {
    const made = await build(row, folder, ["-O2"]);
    if (made !== undefined) return { answer: "incomplete", states: 0, detail: made };
    const { output } = await run("./pan", ["-E", `-m${DEPTH}`], folder);
    return judge(output);
  });
}

/** The shortest way to the violation of a row, in the model's own words. */
export async function story(row) {
  return inScratch(async (folder) => {
    const made = await build(row, folder, ["-O2", "-DBFS"]);
    if (made !== undefined) return made;
    const { output } = await run("./pan", ["-E"], folder);
    if (judge(output).answer !== "violated") return `nothing is violated: ${output}`;
    const replay = await run("spin", ["-t", "-T", ...defines(row), "once.pml"], folder);
    return replay.output
      .split("\n")
      .filter((line) => /^\s*t=|assert/.test(line))
      .join("\n");
  });
}

function judge(output) {
  const states = Number(/(\S+) states, stored/.exec(output)?.[1] ?? 0);
  if (/assertion violated/.test(output)) return { answer: "violated", states };
  const isWhole = /errors: 0/.test(output) && !/max search depth too small|out of memory|not completed/i.test(output);
  return isWhole ? { answer: "holds", states } : { answer: "incomplete", states, detail: output };
}

/** What went wrong, `undefined` where nothing did. */
async function build(row, folder, options) {
  for (const [tool, args] of [
    ["spin", ["-a", ...defines(row), "once.pml"]],
    ["gcc", ["-w", "-DSAFETY", ...options, "-o", "pan", "pan.c"]],
  ]) {
    const { code, output } = await run(tool, args, folder);
    if (code !== 0) return `${tool}: ${output}`;
  }
  return undefined;
}

function defines({ flags, properties, place }) {
  return [
    ...Object.entries(flags).map(([name, value]) => `-D${name}=${value}`),
    ...properties.map((name) => `-DHOLDS_${name}=${place ?? 1}`),
  ];
}

async function inScratch(work) {
  const folder = mkdtempSync(join(tmpdir(), "lambda-once-model-"));
  try {
    for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".pml"))) {
      copyFileSync(join(import.meta.dirname, file), join(folder, file));
    }
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(tool, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(tool, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const output = [];
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.on("error", (error) => resolve({ code: 1, output: error.message }));
    child.on("close", (code) => resolve({ code, output: Buffer.concat(output).toString() }));
  });
}
