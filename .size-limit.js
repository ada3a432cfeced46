/** What a Lambda that bundles the root pays for it, JMESPath included. */
export default [
  {
    name: "lambda-once",
    path: "dist/index.js",
    limit: "16 kB",
    gzip: true,
    modifyEsbuildConfig: (config) => ({ ...config, platform: "node", format: "esm" }),
  },
];
