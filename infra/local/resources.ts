import { randomBytes } from "node:crypto";
import type { AttributeDefinition, KeySchemaElement, Projection } from "@aws-sdk/client-dynamodb";
import type { Assembly } from "./assembly.ts";
import type { Named } from "./names.ts";

/** A resource's properties, every intrinsic function in them replaced. */
export type Properties = Readonly<Record<string, unknown>>;

export interface TableModel extends Named {
  readonly keys: readonly KeySchemaElement[];
  readonly attributes: readonly AttributeDefinition[];
  readonly globalIndexes: readonly IndexModel[];
  readonly localIndexes: readonly IndexModel[];
  readonly expiry?: string;
}

interface IndexModel {
  readonly IndexName: string;
  readonly KeySchema: KeySchemaElement[];
  readonly Projection: Projection;
}

export interface QueueModel extends Named {
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface FunctionModel extends Named {
  readonly arn: string;
  readonly runtime: string;
  /** `file.export`. */
  readonly handler: string;
  /** The folder of its bundle. */
  readonly code: string;
  /** Seconds. */
  readonly timeout: number;
  /** Megabytes. */
  readonly memory: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
  readonly logFormat?: string;
  readonly logLevel?: string;
}

/** An event source mapping from a queue to a function. */
export interface MappingModel {
  readonly id: string;
  readonly queueArn: string;
  readonly functionArn: string;
  readonly enabled: boolean;
  readonly batchSize: number;
  /** Seconds. */
  readonly window: number;
  readonly partialResponses: boolean;
  readonly concurrency?: number;
}

/** A secret as Secrets Manager would make it up. */
export function secretText(properties: Properties): string {
  if (properties["SecretString"] !== undefined) return String(properties["SecretString"]);
  const {
    PasswordLength = 32,
    SecretStringTemplate,
    GenerateStringKey,
  } = (properties["GenerateSecretString"] ?? {}) as {
    PasswordLength?: number;
    SecretStringTemplate?: string;
    GenerateStringKey?: string;
  };
  const password = randomBytes(PasswordLength).toString("hex").slice(0, PasswordLength);
  if (SecretStringTemplate === undefined || GenerateStringKey === undefined) return password;
  return JSON.stringify({ ...JSON.parse(SecretStringTemplate), [GenerateStringKey]: password });
}

export function tableModel(named: Named, properties: Properties): TableModel {
  const indexes = (list: unknown): IndexModel[] =>
    ((list ?? []) as IndexModel[]).map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    }));
  const { Enabled, AttributeName } = (properties["TimeToLiveSpecification"] ?? {}) as Record<string, unknown>;
  return {
    ...named,
    keys: properties["KeySchema"] as KeySchemaElement[],
    attributes: properties["AttributeDefinitions"] as AttributeDefinition[],
    globalIndexes: indexes(properties["GlobalSecondaryIndexes"]),
    localIndexes: indexes(properties["LocalSecondaryIndexes"]),
    ...(Enabled === true ? { expiry: String(AttributeName) } : {}),
  };
}

const QUEUE_ATTRIBUTES = [
  "ContentBasedDeduplication",
  "DeduplicationScope",
  "DelaySeconds",
  "FifoQueue",
  "FifoThroughputLimit",
  "MaximumMessageSize",
  "MessageRetentionPeriod",
  "ReceiveMessageWaitTimeSeconds",
  "RedrivePolicy",
  "VisibilityTimeout",
];

export function queueModel(named: Named & { readonly arn: string }, properties: Properties): QueueModel {
  // CloudFormation says MaximumMessageSize and RedrivePolicy, the API wants text everywhere.
  const given = QUEUE_ATTRIBUTES.filter((name) => properties[name] !== undefined);
  const text = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return { ...named, attributes: Object.fromEntries(given.map((name) => [name, text(properties[name])])) };
}

/** AWS's extension that answers for Secrets Manager beside a function: `extension.ts` stands in for it. */
const SECRETS_LAYER = ":layer:AWS-Parameters-and-Secrets-Lambda-Extension";

/** @throws Error where the function is not a Node.js bundle of the assembly. */
export function functionModel(
  named: Named & { readonly arn: string },
  properties: Properties,
  assembly: Assembly,
): FunctionModel {
  const { Runtime, Handler, Timeout, MemorySize, Environment, Code, Layers, LoggingConfig } =
    properties as FunctionProperties;
  if (!Runtime?.startsWith("nodejs")) throw new Error(`its runtime is ${Runtime}, and only nodejs runs here`);
  const unknown = (Layers ?? []).filter((layer) => !layer.includes(SECRETS_LAYER));
  if (unknown.length > 0) throw new Error(`it has the layer ${unknown.join(", ")}; only ${SECRETS_LAYER} runs here`);
  const code = assembly.assetPath(Code?.S3Key ?? "");
  if (code === undefined) throw new Error(`its code is no asset of cdk.out: ${JSON.stringify(Code)}`);
  return {
    ...named,
    runtime: Runtime,
    handler: Handler ?? "index.handler",
    code,
    timeout: Number(Timeout ?? 3),
    memory: Number(MemorySize ?? 128),
    environment: Environment?.Variables ?? {},
    ...given("reservedConcurrency", properties["ReservedConcurrentExecutions"], Number),
    ...given("logFormat", LoggingConfig?.LogFormat, String),
    ...given("logLevel", LoggingConfig?.ApplicationLogLevel, String),
  };
}

/** @throws Error where the source is not a queue or what it sends is filtered. */
export function mappingModel(id: string, properties: Properties): MappingModel {
  const source = String(properties["EventSourceArn"]);
  if (source.split(":")[2] !== "sqs")
    throw new Error(`its source is ${source}, and only a queue feeds a function here`);
  if (properties["FilterCriteria"] !== undefined) throw new Error("it has FilterCriteria, which are not applied here");
  const { MaximumConcurrency } = (properties["ScalingConfig"] ?? {}) as { MaximumConcurrency?: number };
  return {
    id,
    queueArn: source,
    functionArn: String(properties["FunctionName"]),
    enabled: properties["Enabled"] !== false,
    batchSize: Number(properties["BatchSize"] ?? 10),
    window: Number(properties["MaximumBatchingWindowInSeconds"] ?? 0),
    partialResponses: ((properties["FunctionResponseTypes"] ?? []) as string[]).includes("ReportBatchItemFailures"),
    ...given("concurrency", MaximumConcurrency, Number),
  };
}

function given<K extends string, V>(key: K, value: unknown, as: (value: unknown) => V): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: as(value) } as { [P in K]: V });
}

interface FunctionProperties {
  readonly Runtime?: string;
  readonly Handler?: string;
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
  readonly Code?: { readonly S3Key?: string };
  readonly Layers?: readonly string[];
  readonly LoggingConfig?: { readonly LogFormat?: string; readonly ApplicationLogLevel?: string };
}
