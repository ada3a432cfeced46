/**
 * Uses the packed tarball as a project would that has neither the AWS SDK nor Middy: the root is imported by Node and
 * its types are compiled, declaration files included; and as one whose tests make CommonJS of it.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";

const tarball = resolve(process.argv[2]);
const modules = resolve("node_modules");
const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const project = mkdtempSync(join(tmpdir(), "lambda-once-consumer-"));

try {
  const home = join(project, "node_modules", "lambda-once");
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
  for (const name of [...Object.keys(dependencies), "@types/node"]) {
    const link = join(project, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(modules, name), link, "dir");
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(
    join(project, "index.ts"),
    'import * as root from "lambda-once";\nif (Object.keys(root).length === 0) throw new Error("the root exports nothing");\n',
  );
  const compilerOptions = { target: "es2022", module: "nodenext", strict: true, skipLibCheck: false, types: ["node"] };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
  execFileSync(process.execPath, [join(modules, "typescript", "bin", "tsc"), "-p", project], { stdio: "inherit" });
  execFileSync(process.execPath, [join(project, "index.js")], { stdio: "inherit" });
  // Jest's transformers make CommonJS of it, file by file.
  const common = join(project, "common");
  mkdirSync(common);
  writeFileSync(join(common, "package.json"), JSON.stringify({ type: "commonjs" }));
  for (const file of readdirSync(join(home, "dist")).filter((name) => name.endsWith(".js"))) {
    const options = { compilerOptions: { target: ScriptTarget.ES2022, module: ModuleKind.CommonJS } };
    writeFileSync(
      join(common, file),
      transpileModule(readFileSync(join(home, "dist", file), "utf8"), options).outputText,
    );
  }
  for (const entry of ["index", "client", "codecs", "dynamodb-light", "guards", "webhooks", "writes"])
    execFileSync(process.execPath, ["-e", `require("./${entry}.js")`], { cwd: common, stdio: "inherit" });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(project, { recursive: true, force: true });
}
