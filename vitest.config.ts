import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Tests import `lambda-once/...` by its own name and get the sources. The rest is what Node itself resolves by. */
const conditions = ["lambda-once-source", "node"];

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // One for each of two cores: Vitest itself leaves one free, which nothing else uses here.
    maxWorkers: 2,
    // The SDK says in every worker that Node 20 is old; Lambda's Node 20 is one of those that are tested.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*dynamodb*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "dynamodb",
          include: ["test/**/*dynamodb*.test.ts"],
          globalSetup: ["test/support/dynamodb-global-setup.ts"],
        },
      },
    ],
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/*.ts"],
      reporter: ["text", "html"],
      thresholds: Object.fromEntries(
        ["core", "key", "store", "lambda", "writes", "guards", "webhooks"].map((folder) => [
          `src/${folder}/**`,
          { lines: 90, branches: 90 },
        ]),
      ),
    },
  },
});
export default config;
