/** What a Lambda that bundles an entry pays for it. The root includes JMESPath, 9 kB of it. */
const modifyEsbuildConfig = (config) => ({ ...config, platform: "node", format: "esm" });

export default [
  { name: "lambda-once", path: "dist/index.js", limit: "28 kB", gzip: true, modifyEsbuildConfig },
  { name: "lambda-once/client", path: "dist/client.js", limit: "2 kB", gzip: true },
];
