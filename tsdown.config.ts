import { readFileSync } from "node:fs";
import { defineConfig, type UserConfig } from "tsdown";

interface Target {
  readonly "lambda-once-source": string;
  readonly default: string;
}

/** `exports` of package.json says it once: which barrel becomes which file of `dist`. */
function entries(): Record<string, string> {
  const { exports } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as {
    exports: Record<string, string | Target>;
  };
  const targets = Object.values(exports).filter((target) => typeof target !== "string");
  return Object.fromEntries(
    targets.map((target) => [target.default.replace(/^\.\/dist\/(.+)\.js$/, "$1"), target["lambda-once-source"]]),
  );
}

/**
 * Each file of a package that is not bundled costs a start half a millisecond: what all need is one file, what a wrapped
 * function needs another, what both stores of DynamoDB share a third. A module that no group names goes where it is used.
 */
const GROUPS = [
  {
    name: "core",
    test: /\/src\/core\/(check|commit-plan|duration|error-base|errors|plain|record|sendings|time)\.ts|\/src\/store\/(attributes|claimed|conditions|item|options|reader|size)\.ts/,
  },
  {
    name: "call",
    test: /\/src\/(codec|core|key)\/|\/src\/store\/memory\.ts|\/src\/lambda\/(binding|cached-store|context|frames|idempotent|identity|operation|options|recent|runtime|unheld)\.ts/,
  },
  {
    name: "table",
    test: /\/src\/store\/(committer|failures|native|requests|table|transact|transport|watch)\.ts/,
  },
];

/**
 * `aws4` is CommonJS: the helpers that a build makes for that would be one more file for a start to load, and its modules of
 * Node.js a tenth of a millisecond each, were they imported by their names. `require`, `module` and `exports` are names of a
 * function's, not the file's: whoever makes CommonJS of the file, or puts a `require` before it, has these names as well.
 */
const signerAsModule = {
  name: "signer-as-module",
  transform: (code: string, id: string) => {
    if (!/\/aws4\/\w+\.js$/.test(id)) return undefined;
    const names = [...code.matchAll(/require\('(\.[^']+)'\)/g)].map(([, name]) => name);
    const imports = names.map((name, at) => `import required${at} from "${name}";`);
    const known = names.map((name, at) => `"${name}": required${at}`);
    const require = `(id) => ({ ${known.join()} })[id] ?? process.getBuiltinModule(\`node:\${id}\`)`;
    // In the first line, so that the source map holds.
    const head = [...imports, "const made = { exports: {} };", "((module, exports, require) => {"].join(" ");
    return { code: `${head} ${code}\n})(made, made.exports, ${require});\nexport default made.exports;`, map: null };
  },
};

const common: UserConfig = {
  entry: entries(),
  format: "esm",
  platform: "node",
  target: "node20.19",
  fixedExtension: false,
  deps: { alwaysBundle: ["aws4"], onlyBundle: ["aws4"] },
};

/** The code, and its declarations, which have files of their own. */
const config: UserConfig[] = defineConfig([
  {
    ...common,
    name: "code",
    dts: false,
    sourcemap: true,
    plugins: [signerAsModule],
    outputOptions: { codeSplitting: { groups: GROUPS } },
  },
  { ...common, name: "declarations", dts: { emitDtsOnly: true, sourcemap: true }, clean: false },
]);
export default config;
