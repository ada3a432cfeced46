import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** The text of all tests, in which a name may be broken over lines. */
const tests = (function read(folder: string): string {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return read(path);
      return entry.name.endsWith(".ts") && entry.name !== "promises.test.ts" ? readFileSync(path, "utf8") : "";
    })
    .join("\n");
})("test").replace(/\s+/g, " ");

/** What is proven elsewhere than in a test with a name. */
const PROOF = /^(simulation I|model: |crash matrix: |`npm run proof:)/;

/** The sentences of the page's tables, each with what pins it. */
const rows = readFileSync("docs/promises.md", "utf8")
  .split("\n")
  .filter((line) => /^\| (?!sentence |mode )/.test(line))
  .map((line) => line.replace(/^\| | \|$/g, "").split(" | "))
  .map((cells) => ({ sentence: cells[0] as string, pins: (cells.at(-1) as string).split("; ") }));

test("the page of promises has its sentences", () => {
  expect(rows.length).toBeGreaterThan(40);
});

test.each(rows)("$sentence: its tests are there under these names", ({ pins }) => {
  for (const pin of pins) {
    if (PROOF.test(pin)) continue;
    const [, path] = /^`(test\/[^`]+)`/.exec(pin) ?? [];
    const name = pin.replace(/^(?:`[^`]+`(?:, `[^`]+`)*|Middy): /, "");
    if (path !== undefined) expect(existsSync(path.replace(/\/[^/]*\*.*$/, "")), path).toBe(true);
    if (path === undefined || name !== pin) expect(tests.includes(name), name).toBe(true);
  }
});
