import { createHash } from "node:crypto";
import { type ApiModel, httpApi, isApi, restApi } from "./api-model.ts";
import type { Assembly, Resource } from "./assembly.ts";
import { type Resolve, resolver } from "./intrinsics.ts";
import type { Named } from "./names.ts";
import {
  type FunctionModel,
  functionModel,
  type MappingModel,
  mappingModel,
  type Properties,
  type QueueModel,
  queueModel,
  secretText,
  type TableModel,
  tableModel,
} from "./resources.ts";

/** What a template says, as far as it runs on this machine. */
export interface StackModel {
  readonly tables: readonly TableModel[];
  readonly queues: readonly QueueModel[];
  readonly functions: readonly FunctionModel[];
  readonly mappings: readonly MappingModel[];
  readonly apis: readonly ApiModel[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly secrets: readonly SecretModel[];
  /** Types of resources that are in the template and do nothing here. */
  readonly idle: readonly string[];
}

/** A secret of the template. Its name is its ARN. */
export interface SecretModel extends Named {
  /** Made up here, as Secrets Manager would. */
  readonly text: string;
}

/** Where the stack's parts are found on this machine. */
export interface Places {
  readonly region: string;
  readonly account: string;
  queueUrl(name: string): string;
  /** The address of an API of the template, without its stage. */
  apiUrl(logicalId: string): string;
}

/** Runs nothing, or nothing that a request would notice. Prefixes of types. */
const IDLE = [
  "AWS::ApiGateway::Account",
  "AWS::ApiGateway::ApiKey",
  "AWS::ApiGateway::Deployment",
  "AWS::ApiGateway::Model",
  "AWS::ApiGateway::UsagePlan",
  "AWS::ApiGatewayV2::Deployment",
  "AWS::ApplicationAutoScaling::",
  "AWS::CDK::Metadata",
  "AWS::CloudWatch::",
  "AWS::IAM::",
  "AWS::KMS::",
  "AWS::Lambda::Alias",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Lambda::Permission",
  "AWS::Lambda::Version",
  "AWS::Logs::",
  "AWS::SQS::QueuePolicy",
  "AWS::SecretsManager::ResourcePolicy",
  "AWS::WAFv2::",
  "AWS::XRay::",
  "Custom::LogRetention",
];

/** Read by `restApi` and `httpApi` together with the API that they belong to. */
const PARTS =
  /^AWS::ApiGateway::(Authorizer|GatewayResponse|Method|RequestValidator|Resource|Stage)$|^AWS::ApiGatewayV2::(Integration|Route|Stage)$/;

/**
 * The model of a template.
 *
 * @throws Error that names every resource which cannot run here.
 */
export function readTemplate(assembly: Assembly, places: Places): StackModel {
  const { template, stackName } = assembly;
  const { region, account } = places;
  const resources = template.Resources;
  const secrets = new Map<string, SecretModel>();
  const arnOf = (service: string, resource: string): string => `arn:aws:${service}:${region}:${account}:${resource}`;

  const nameOf = (id: string): string => {
    const { Type, Properties = {} } = resources[id] as Resource;
    const given = Properties[`${Type.slice(Type.lastIndexOf("::") + 2).replace("GlobalTable", "Table")}Name`];
    if (given !== undefined) return String(resolve(given));
    return `${stackName}-${id}`.slice(-64) + (Properties["FifoQueue"] === true ? ".fifo" : "");
  };

  const attribute = (id: string, name = ""): string => {
    const { Type, Properties = {} } = resources[id] ?? { Type: "" };
    switch (Type) {
      case "AWS::DynamoDB::Table":
      case "AWS::DynamoDB::GlobalTable":
        return name === "" ? nameOf(id) : arnOf("dynamodb", `table/${nameOf(id)}`);
      case "AWS::SQS::Queue":
        if (name === "Arn") return arnOf("sqs", nameOf(id));
        return name === "QueueName" ? nameOf(id) : places.queueUrl(nameOf(id));
      case "AWS::Lambda::Function":
        return name === "" ? nameOf(id) : arnOf("lambda", `function:${nameOf(id)}`);
      case "AWS::Lambda::Alias":
      case "AWS::Lambda::Version":
        return `${resolve(Properties["FunctionName"])}:${name === "Version" ? "1" : (Properties["Name"] ?? "1")}`;
      case "AWS::ApiGateway::RestApi":
      case "AWS::ApiGatewayV2::Api":
        if (name === "ApiEndpoint") return places.apiUrl(id);
        return name === "RootResourceId" ? `${id}/` : apiId(id);
      case "AWS::ApiGateway::Stage":
      case "AWS::ApiGatewayV2::Stage":
        return String(resolve(Properties["StageName"]));
      case "AWS::SecretsManager::Secret":
        return arnOf("secretsmanager", `secret:${id}`);
      default:
        return name === "" || !name.endsWith("Arn") ? id : arnOf((Type.split("::")[1] ?? "").toLowerCase(), id);
    }
  };

  const secret = (arn: string): string | undefined => {
    const id = arn.slice(arn.lastIndexOf(":") + 1);
    const { Type, Properties = {} } = resources[id] ?? {};
    if (Type !== "AWS::SecretsManager::Secret") return undefined;
    const made = secrets.get(id) ?? { id, name: arn, text: secretText(resolve(Properties) as Properties) };
    secrets.set(id, made);
    return made.text;
  };

  const pseudo = {
    "AWS::Region": region,
    "AWS::AccountId": account,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": stackName,
    "AWS::StackId": arnOf("cloudformation", `stack/${stackName}/local`),
  };
  const raw = resolver(template, { attribute, secret, pseudo });
  const addresses = Object.keys(resources)
    .filter((id) => isApi(resources[id] as Resource))
    .map((id) => [`https://${apiId(id)}.execute-api.${region}.amazonaws.com`, places.apiUrl(id)] as const);
  /** Where the template puts the public address of an API together, it gets the local one. */
  const resolve: Resolve = (value) => replaceIn(raw(value), addresses);

  const model = { tables: [], queues: [], functions: [], mappings: [], apis: [] } as {
    -readonly [K in "tables" | "queues" | "functions" | "mappings" | "apis"]: StackModel[K][number][];
  };
  const problems: string[] = [];
  const idle = new Set<string>();
  const read: Readonly<Record<string, (id: string, properties: Properties) => void>> = {
    "AWS::DynamoDB::Table": (id, properties) => model.tables.push(tableModel({ id, name: nameOf(id) }, properties)),
    "AWS::DynamoDB::GlobalTable": (id, properties) =>
      model.tables.push(tableModel({ id, name: nameOf(id) }, properties)),
    "AWS::SQS::Queue": (id, properties) =>
      model.queues.push(queueModel({ id, name: nameOf(id), arn: attribute(id, "Arn") }, properties)),
    "AWS::Lambda::Function": (id, properties) =>
      model.functions.push(functionModel({ id, name: nameOf(id), arn: attribute(id, "Arn") }, properties, assembly)),
    "AWS::Lambda::EventSourceMapping": (id, properties) => model.mappings.push(mappingModel(id, properties)),
    "AWS::ApiGateway::RestApi": (id) => model.apis.push(restApi(id, apiId(id), resources, resolve)),
    "AWS::ApiGatewayV2::Api": (id) => model.apis.push(httpApi(id, apiId(id), resources, resolve)),
    "AWS::SecretsManager::Secret": (id) => secret(attribute(id)),
  };
  for (const [id, { Type, Properties, Condition }] of Object.entries(resources)) {
    if (Condition !== undefined && resolve({ Condition }) !== true) continue;
    try {
      if (read[Type] !== undefined) read[Type](id, resolve(Properties ?? {}) as Properties);
      else if (IDLE.some((type) => Type.startsWith(type))) idle.add(Type);
      else if (!PARTS.test(Type)) problems.push(`${id} is an ${Type}`);
    } catch (error) {
      problems.push(`${id}: ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) {
    throw new Error(
      `The stack ${stackName} has what cannot run on this machine:\n${problems.map((p) => `- ${p}\n`).join("")}`,
    );
  }
  const outputs = Object.entries(template.Outputs ?? {}).map(([name, { Value }]) => [name, String(resolve(Value))]);
  return { ...model, outputs: Object.fromEntries(outputs), secrets: [...secrets.values()], idle: [...idle].sort() };
}

/** Ten small letters and digits, as API Gateway's ids. */
function apiId(logicalId: string): string {
  return BigInt(`0x${createHash("sha256").update(logicalId).digest("hex")}`)
    .toString(36)
    .slice(0, 10);
}

function replaceIn(value: unknown, addresses: readonly (readonly [string, string])[]): unknown {
  if (typeof value === "string") return addresses.reduce((text, [from, to]) => text.replaceAll(from, to), value);
  if (Array.isArray(value)) return value.map((item) => replaceIn(item, addresses));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceIn(item, addresses)]));
}
