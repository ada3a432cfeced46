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

const config: UserConfig = defineConfig({
  entry: entries(),
  format: "esm",
  platform: "node",
  target: "node20.19",
  fixedExtension: false,
  sourcemap: true,
  dts: { sourcemap: true },
});
export default config;
