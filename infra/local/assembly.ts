import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** A resource as it stands in a CloudFormation template. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** One stack of a `cdk.out`: its template, and where the files lie that it deploys. */
export interface Assembly {
  readonly stackName: string;
  readonly template: Template;
  /** The folder of an asset, by the key that the template gives it in S3; `undefined` for an unknown key. */
  assetPath(key: string): string | undefined;
}

export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: string }>>;
  readonly Mappings?: Readonly<Record<string, unknown>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

interface Manifest {
  readonly artifacts?: Readonly<Record<string, Artifact>>;
}

interface Artifact {
  readonly type: string;
  readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string };
}

interface AssetManifest {
  readonly files?: Readonly<Record<string, AssetFile>>;
}

interface AssetFile {
  readonly source: { readonly path?: string };
  readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
}

/**
 * Reads what `cdk synth` has written: the stack of that name, or the only one.
 *
 * @throws Error in one sentence where there is no `cdk.out`, no such stack, or more than one to choose from.
 */
export function readAssembly(cdkOut: string, wanted?: string): Assembly {
  const folder = resolve(cdkOut);
  const { artifacts = {} } = readManifest(folder);
  const stacks = Object.entries(artifacts).filter(([, { type }]) => type === "aws:cloudformation:stack");
  const named = stacks.map(([id, { properties }]) => ({ name: properties?.stackName ?? id, ...properties }));
  const names = named.map(({ name }) => name).join(", ") || "none";
  const chosen = wanted === undefined ? named : named.filter(({ name }) => name === wanted);
  const [stack] = chosen;
  if (stack?.templateFile === undefined) throw new Error(`${folder} has no stack ${wanted ?? ""}; it has: ${names}`);
  if (chosen.length > 1) throw new Error(`${folder} has several stacks, name the one to run: ${names}`);

  const assets = new Map<string, string>();
  for (const { type, properties } of Object.values(artifacts)) {
    if (type !== "cdk:asset-manifest" || properties?.file === undefined) continue;
    const { files = {} } = readJson(join(folder, properties.file)) as AssetManifest;
    for (const { source, destinations } of Object.values(files)) {
      for (const { objectKey } of Object.values(destinations)) {
        if (source.path !== undefined) assets.set(objectKey, resolve(folder, source.path));
      }
    }
  }
  return {
    stackName: stack.name,
    template: readJson(join(folder, stack.templateFile)) as Template,
    assetPath: (key) => assets.get(key),
  };
}

function readManifest(folder: string): Manifest {
  try {
    return readJson(join(folder, "manifest.json")) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(`there is no cdk.out at ${folder}: write it with \`npx cdk synth --quiet\``);
  }
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}
