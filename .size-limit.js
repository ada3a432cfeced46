/** What a Lambda that bundles an entry pays for it, without the peer dependencies. The root includes JMESPath, 9 kB of it. */
const modifyEsbuildConfig = (config) => ({ ...config, platform: "node", format: "esm" });

const entry = (name, file, limit) => ({ name, path: `dist/${file}.js`, limit, gzip: true, modifyEsbuildConfig });

export default [
  entry("lambda-once", "index", "37.75 kB"),
  entry("lambda-once/dynamodb", "dynamodb", "11.8 kB"),
  entry("lambda-once/dynamodb/light", "dynamodb-light", "17.2 kB"),
  entry("lambda-once/client", "client", "2 kB"),
];
