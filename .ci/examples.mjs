/**
 * Type-checks every example: the `ts` blocks of README.md and docs/, and each `@example` of src and infra/constructs. What an example takes
 * from its surroundings (a store, an Order) is declared in examples.d.ts.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const folder = join("reports", "examples");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const files = (root, ending) =>
  readdirSync(root, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(root, name));

let count = 0;
for (const file of [
  "README.md",
  ...files("docs", ".md"),
  ...files("src", ".ts"),
  ...files("infra/constructs", ".ts"),
]) {
  const text = readFileSync(file, "utf8");
  const examples = file.endsWith(".md") ? blocksOf(text) : commentsOf(text);
  examples.forEach((code, at) => {
    count++;
    const name = `${file.replace(/\.(md|ts)$/, "").replace(/[^\w]+/g, "-")}-${at + 1}.ts`;
    writeFileSync(join(folder, name), `// ${file}, example ${at + 1}\n${code}\nexport {};\n`);
  });
}
for (const file of ["infra/local/stack.ts", "infra/demo/sender.ts"]) {
  mkdirSync(join("reports", file, ".."), { recursive: true });
  writeFileSync(join("reports", file), `export * from "../../../${file}";\n`);
}
writeFileSync(join(folder, "handler.ts"), "export const handler = placeOrderByEvent;\n");
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../../tsconfig.json",
    compilerOptions: { isolatedDeclarations: false, declaration: false, types: ["node", "vitest/globals"] },
    include: ["*.ts", "../../.ci/examples.d.ts"],
  }),
);
const { status } = spawnSync(join("node_modules", ".bin", "tsc"), ["-p", folder], { stdio: "inherit" });
console.log(`${count} examples`);
process.exitCode = count === 0 ? 1 : status;

function blocksOf(text) {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
}

function commentsOf(text) {
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(([comment]) =>
    comment
      .replace(/^\s*\/?\*{1,2}\/? ?/gm, "")
      .split(/^@/m)
      .filter((part) => part.startsWith("example\n"))
      .map((part) => part.slice("example\n".length).replaceAll("\\@", "@")),
  );
}
