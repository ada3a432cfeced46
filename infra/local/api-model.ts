import type { Resource } from "./assembly.ts";
import type { Resolve } from "./intrinsics.ts";
import type { Named } from "./names.ts";
import type { Properties } from "./resources.ts";

/** An API of the template. */
export interface ApiModel extends Named {
  /** API Gateway's REST API with payload format 1.0, or its HTTP API. */
  readonly kind: "rest" | "http";
  /** API Gateway's id for it; `id` is the logical one. */
  readonly apiId: string;
  readonly stages: readonly StageModel[];
  readonly routes: readonly RouteModel[];
  readonly authorizers: readonly AuthorizerModel[];
  readonly gatewayResponses: readonly GatewayResponseModel[];
  readonly binaryMediaTypes: readonly string[];
}

export interface StageModel {
  readonly name: string;
  readonly variables: Readonly<Record<string, string>> | null;
}

export interface RouteModel {
  /** `ANY` for each. */
  readonly method: string;
  /** `/orders/{id}`, or `$default`. */
  readonly path: string;
  readonly resourceId: string;
  readonly target: Target;
  readonly authorizer?: string;
  /** Checked by a request validator. */
  readonly required: readonly Parameter[];
}

export type Target =
  | { readonly kind: "lambda"; readonly functionArn: string; readonly timeout: number; readonly payload: "1.0" | "2.0" }
  | { readonly kind: "mock"; readonly status: number; readonly headers: Readonly<Record<string, string>> };

export interface Parameter {
  readonly in: "header" | "querystring" | "path";
  readonly name: string;
}

export interface AuthorizerModel {
  readonly id: string;
  readonly kind: "TOKEN" | "REQUEST";
  readonly functionArn: string;
  readonly sources: readonly Parameter[];
  readonly validation?: RegExp;
  /** Seconds for which an answer is kept. */
  readonly ttl: number;
}

export interface GatewayResponseModel {
  readonly type: string;
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly template?: string;
}

type Resources = Readonly<Record<string, Resource>>;

export function isApi({ Type }: Resource): boolean {
  return Type === "AWS::ApiGateway::RestApi" || Type === "AWS::ApiGatewayV2::Api";
}

/** Reads a REST API with its resources, methods, authorizers, validators, stages and gateway responses. */
export function restApi(id: string, apiId: string, resources: Resources, resolve: Resolve): ApiModel {
  const properties = propertiesOf(id, resources, resolve);
  if (properties["Body"] !== undefined || properties["BodyS3Location"] !== undefined) {
    throw new Error("it comes from an OpenAPI document, and only resources and methods are read");
  }
  const parts = (type: string): readonly (readonly [string, Properties])[] =>
    partsOf(`AWS::ApiGateway::${type}`, "RestApiId", apiId, resources, resolve);
  const folders = new Map(parts("Resource"));
  const pathOf = (resourceId: string): string => {
    const folder = folders.get(resourceId);
    return folder === undefined ? "" : `${pathOf(String(folder["ParentId"]))}/${folder["PathPart"]}`;
  };
  const validators = new Map(parts("RequestValidator"));
  return {
    id,
    apiId,
    kind: "rest",
    name: String(properties["Name"] ?? id),
    stages: stagesOf(parts("Stage"), "Variables"),
    routes: parts("Method").map(([method, given]) => {
      const resourceId = String(given["ResourceId"]);
      const validator = validators.get(String(given["RequestValidatorId"])) ?? {};
      return named(method, () => restRoute(given, resourceId, pathOf(resourceId) || "/", validator));
    }),
    authorizers: parts("Authorizer").map(([authorizer, given]) =>
      named(authorizer, () => authorizerModel(authorizer, given)),
    ),
    gatewayResponses: parts("GatewayResponse").map(([, given]) => gatewayResponse(given)),
    binaryMediaTypes: (properties["BinaryMediaTypes"] ?? []) as string[],
  };
}

function restRoute(given: Properties, resourceId: string, path: string, validator: Properties): RouteModel {
  const kind = given["AuthorizationType"] ?? "NONE";
  if (kind !== "NONE" && kind !== "CUSTOM")
    throw new Error(`${path} is guarded by ${kind}, and only CUSTOM is evaluated here`);
  if (given["ApiKeyRequired"] === true) throw new Error(`${path} wants an API key, which is not checked here`);
  if (validator["ValidateRequestBody"] === true && given["RequestModels"] !== undefined) {
    throw new Error(`${path} has its body validated by a model, which is not done here`);
  }
  const parameters = Object.entries((given["RequestParameters"] ?? {}) as Record<string, boolean>);
  const required = parameters.filter(([, must]) => must).map(([source]) => parameter(source));
  return {
    method: String(given["HttpMethod"]),
    path,
    resourceId,
    target: restTarget((given["Integration"] ?? {}) as Properties, path),
    ...(kind === "CUSTOM" ? { authorizer: String(given["AuthorizerId"]) } : {}),
    required: validator["ValidateRequestParameters"] === true ? required : [],
  };
}

function restTarget(integration: Properties, path: string): Target {
  if (integration["Type"] === "AWS_PROXY") {
    const functionArn = functionArnIn(String(integration["Uri"]));
    return { kind: "lambda", functionArn, timeout: Number(integration["TimeoutInMillis"] ?? 29_000), payload: "1.0" };
  }
  if (integration["Type"] !== "MOCK") {
    throw new Error(`${path} has an integration of type ${integration["Type"]}, and only AWS_PROXY and MOCK run here`);
  }
  const [answer = {}] = (integration["IntegrationResponses"] ?? []) as Properties[];
  const templates = Object.values((answer["ResponseTemplates"] ?? {}) as Record<string, string>);
  if (templates.some((text) => text.trim() !== "")) {
    throw new Error(`${path} has a mock integration with a response template (VTL), which is not rendered here`);
  }
  return { kind: "mock", status: Number(answer["StatusCode"] ?? 200), headers: literals(answer["ResponseParameters"]) };
}

function authorizerModel(id: string, given: Properties): AuthorizerModel {
  const kind = given["Type"];
  if (kind !== "TOKEN" && kind !== "REQUEST")
    throw new Error(`it is an authorizer of type ${kind}; TOKEN and REQUEST run here`);
  const validation = given["IdentityValidationExpression"];
  return {
    id,
    kind,
    functionArn: functionArnIn(String(given["AuthorizerUri"])),
    sources: String(given["IdentitySource"] ?? "")
      .split(",")
      .filter(Boolean)
      .map((source) => parameter(source.trim())),
    ...(validation === undefined ? {} : { validation: new RegExp(`^(?:${validation})$`) }),
    ttl: Number(given["AuthorizerResultTtlInSeconds"] ?? 300),
  };
}

function gatewayResponse(given: Properties): GatewayResponseModel {
  const { "application/json": template } = (given["ResponseTemplates"] ?? {}) as Record<string, string>;
  return {
    type: String(given["ResponseType"]),
    ...(given["StatusCode"] === undefined ? {} : { status: Number(given["StatusCode"]) }),
    headers: literals(given["ResponseParameters"]),
    ...(template === undefined ? {} : { template }),
  };
}

/** Reads an HTTP API: its routes to functions, without authorizers or CORS of its own. */
export function httpApi(id: string, apiId: string, resources: Resources, resolve: Resolve): ApiModel {
  const properties = propertiesOf(id, resources, resolve);
  if (properties["CorsConfiguration"] !== undefined)
    throw new Error("it has a CorsConfiguration, which is not applied here");
  const parts = (type: string): readonly (readonly [string, Properties])[] =>
    partsOf(`AWS::ApiGatewayV2::${type}`, "ApiId", apiId, resources, resolve);
  const integrations = new Map(parts("Integration"));
  return {
    id,
    apiId,
    kind: "http",
    name: String(properties["Name"] ?? id),
    stages: stagesOf(parts("Stage"), "StageVariables"),
    routes: parts("Route").map(([route, given]) => named(route, () => httpRoute(given, integrations))),
    authorizers: [],
    gatewayResponses: [],
    binaryMediaTypes: [],
  };
}

function httpRoute(given: Properties, integrations: ReadonlyMap<string, Properties>): RouteModel {
  const key = String(given["RouteKey"]);
  const guard = given["AuthorizationType"] ?? "NONE";
  if (guard !== "NONE") throw new Error(`${key} is guarded by ${guard}, and HTTP APIs run here without authorizers`);
  const integration = integrations.get(String(given["Target"]).replace("integrations/", "")) ?? {};
  if (integration["IntegrationType"] !== "AWS_PROXY") {
    throw new Error(
      `${key} has an integration of type ${integration["IntegrationType"]}, and only AWS_PROXY runs here`,
    );
  }
  const [method = "", path = ""] = key === "$default" ? ["ANY", "$default"] : key.split(" ");
  const functionArn = functionArnIn(String(integration["IntegrationUri"]));
  const payload = integration["PayloadFormatVersion"] === "1.0" ? "1.0" : "2.0";
  const timeout = Number(integration["TimeoutInMillis"] ?? 30_000);
  return { method, path, resourceId: key, target: { kind: "lambda", functionArn, timeout, payload }, required: [] };
}

function stagesOf(parts: readonly (readonly [string, Properties])[], variables: string): readonly StageModel[] {
  const models = parts.map(([, given]) => ({
    name: String(given["StageName"]),
    variables: (given[variables] as Record<string, string> | undefined) ?? null,
  }));
  if (models.length === 0) throw new Error("it has no stage, so that nobody can call it");
  return models;
}

function propertiesOf(id: string, resources: Resources, resolve: Resolve): Properties {
  return resolve(resources[id]?.Properties ?? {}) as Properties;
}

/** The resources of a type that belong to an API. */
function partsOf(
  type: string,
  owner: string,
  apiId: string,
  resources: Resources,
  resolve: Resolve,
): readonly (readonly [string, Properties])[] {
  return Object.keys(resources)
    .filter((id) => resources[id]?.Type === type)
    .map((id) => [id, propertiesOf(id, resources, resolve)] as const)
    .filter(([, properties]) => properties[owner] === apiId);
}

/** `method.request.header.Authorization` and the like. */
function parameter(source: string): Parameter {
  const [, place = "", name = ""] = /^(?:method|route)?\.?request\.(header|querystring|path)\.(.+)$/.exec(source) ?? [];
  if (name === "") throw new Error(`it reads ${source}; only headers, query strings and path parameters are read here`);
  return { in: place as Parameter["in"], name };
}

function functionArnIn(uri: string): string {
  const [, arn = uri] = /functions\/(arn:[^/]+)\/invocations$/.exec(uri) ?? [];
  return arn;
}

/** `method.response.header.X: "'value'"` as `X: value`. */
function literals(parameters: unknown): Record<string, string> {
  const entries = Object.entries((parameters ?? {}) as Record<string, string>);
  return Object.fromEntries(
    entries
      .filter(([, value]) => /^'.*'$/s.test(value))
      .map(([key, value]) => [key.slice(key.lastIndexOf(".") + 1), value.slice(1, -1)]),
  );
}

function named<T>(id: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${id}: ${(error as Error).message}`);
  }
}
