/** Folders are import rules: what each folder of src may import. Everything that is not named here is forbidden. */
const folders = {
  core: {},
  client: {},
  key: { src: ["core"], npm: ["@jmespath-community/jmespath"], node: ["buffer", "crypto", "zlib"] },
  store: {
    src: ["core"],
    npm: ["@aws-sdk/client-dynamodb", "@aws-sdk/util-dynamodb", "aws4"],
    node: ["buffer", "crypto", "fs/promises", "http", "https", "zlib"],
  },
  codec: { src: ["core"], node: ["buffer", "crypto", "zlib"] },
  lambda: {
    src: ["core", "key"],
    files: ["codec/json.ts"],
    npm: ["@middy/core"],
    node: ["async_hooks", "buffer", "crypto"],
  },
  // The content hash and the guards of unique values are of canonical JSON, which has one home.
  writes: { src: ["core", "key"], node: ["crypto"] },
  guards: { src: ["core", "key"], node: ["buffer", "crypto"] },
  webhooks: { src: ["core", "key"], npm: ["standardwebhooks"], node: ["buffer", "crypto"] },
  testing: { src: ["core", "key", "store", "lambda"] },
};

const group = (words) => (words.length === 0 ? "(?!)" : `(${words.join("|")})`);

const folderRules = Object.entries(folders).map(([folder, { src = [], files = [], npm = [], node = [] }]) => ({
  name: `src/${folder}`,
  comment: `src/${folder} may import ${["itself", ...src, ...files, ...npm, ...node.map((n) => `node:${n}`)].join(", ")}`,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: {
    pathNot: [
      `^src/${group([folder, ...src])}/`,
      `^src/${group(files)}$`,
      `(^|/)node_modules/(@types/)?${group(npm)}(/|$)`,
      `^(node:)?${group(node)}$`,
    ],
  },
}));

export default {
  forbidden: [
    ...folderRules,
    {
      name: "no-unruled-folder",
      comment: "every folder of src has a rule in .dependency-cruiser.mjs",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: `^src/${group(Object.keys(folders))}/` },
      to: {},
    },
    {
      name: "no-circular",
      comment: "a cycle hides which module stands on which, even one of types",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "barrel-imports-src-only",
      comment: "a barrel (src/*.ts) re-exports what lies in the folders of src",
      severity: "error",
      from: { path: "^src/[^/]+\\.ts$" },
      to: { pathNot: "^src/[^/]+/" },
    },
    {
      name: "nobody-imports-a-barrel",
      comment: "inside src, import the module itself",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^src/[^/]+\\.ts$" },
    },
    {
      name: "root-is-light",
      comment: "the root loads (and its types need) neither the AWS SDK nor Middy nor files nor sockets",
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: {
        path: [
          "(^|/)node_modules/(?!@jmespath-community/jmespath/)",
          "^(node:)?(fs|fs/promises|http|https|http2|net|tls|child_process|worker_threads|dns|dgram)$",
        ],
        reachable: true,
      },
    },
    {
      name: "examples-use-public-names",
      comment: "infra and bench import `lambda-once/...`, as a user does",
      severity: "error",
      from: { path: "^(infra|bench)/" },
      to: { path: "^src/[^/]+/" },
    },
    {
      name: "cdk-stands-alone",
      comment: "`lambda-once/cdk` (infra/constructs) imports itself and the CDK, nothing of the runtime",
      severity: "error",
      from: { path: "^infra/constructs/" },
      to: { pathNot: ["^infra/constructs/", "(^|/)node_modules/(aws-cdk-lib|constructs)(/|$)"] },
    },
    {
      name: "resolvable",
      comment: "the module does not exist",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["lambda-once-source", "import", "node", "types", "default"],
    },
  },
};
