/**
 * `npm run bench`: both libraries in one run, in turn, and docs/benchmarks.md from it. `--quick` measures little and writes
 * nothing; `--again` writes the page anew from the last run, kept in reports/bench.json.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { benchmarksPage } from "./page/benchmarks.ts";
import { about } from "./page/machine.ts";
import { figuresTable } from "./page/reached.ts";
import { FULL, QUICK } from "./plan.ts";
import { measureAll, type Results } from "./results.ts";

const [kept, page] = [
  new URL("../reports/bench.json", import.meta.url),
  new URL("../docs/benchmarks.md", import.meta.url),
];
const flags = process.argv.slice(2);
const say = (what: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${what}`);

if (flags.includes("--quick")) {
  console.log(figuresTable(await measureAll(QUICK, say)));
} else {
  if (!flags.includes("--again")) {
    const measured = { about: await about(), results: await measureAll(FULL, say) };
    await mkdir(new URL(".", kept), { recursive: true });
    await writeFile(kept, JSON.stringify(measured));
  }
  const last = JSON.parse(await readFile(kept, "utf8")) as { about: string; results: Results };
  await writeFile(page, benchmarksPage(last.about, last.results));
  console.log(figuresTable(last.results));
}
