import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties?: unknown }>>;

export const handlers: string = fileURLToPath(new URL("handlers", import.meta.url));

const ref = (Ref: string) => ({ Ref });
const arn = (id: string) => ({ "Fn::GetAtt": [id, "Arn"] });
const uri = (id: string) => ({
  "Fn::Join": [
    "",
    [
      "arn:",
      ref("AWS::Partition"),
      ":apigateway:eu-central-1:lambda:path/2015-03-31/functions/",
      arn(id),
      "/invocations",
    ],
  ],
});

export const fn = (file: string, properties: object = {}) => ({
  Type: "AWS::Lambda::Function",
  Properties: {
    Runtime: "nodejs24.x",
    Handler: `${file}.handler`,
    Code: { S3Bucket: { "Fn::Sub": "assets-${AWS::AccountId}" }, S3Key: "handlers.zip" },
    Timeout: 1,
    Role: arn("Role"),
    ...properties,
  },
});

const method = (resource: object, HttpMethod: string, properties: object, target = "Worker") => ({
  Type: "AWS::ApiGateway::Method",
  Properties: {
    RestApiId: ref("Api"),
    ResourceId: resource,
    HttpMethod,
    AuthorizationType: "NONE",
    Integration: { Type: "AWS_PROXY", IntegrationHttpMethod: "POST", Uri: uri(target) },
    ...properties,
  },
});
const folder = (PathPart: string, parent: object) => ({
  Type: "AWS::ApiGateway::Resource",
  Properties: { RestApiId: ref("Api"), ParentId: parent, PathPart },
});
const root = { "Fn::GetAtt": ["Api", "RootResourceId"] };
const guarded = { AuthorizationType: "CUSTOM", AuthorizerId: ref("Guard") };

const api: Resources = {
  Api: { Type: "AWS::ApiGateway::RestApi", Properties: { Name: "shop", BinaryMediaTypes: ["image/*"] } },
  Stage: { Type: "AWS::ApiGateway::Stage", Properties: { RestApiId: ref("Api"), StageName: "prod" } },
  Validator: {
    Type: "AWS::ApiGateway::RequestValidator",
    Properties: { RestApiId: ref("Api"), ValidateRequestParameters: true, ValidateRequestBody: false },
  },
  Guard: {
    Type: "AWS::ApiGateway::Authorizer",
    Properties: {
      RestApiId: ref("Api"),
      Type: "TOKEN",
      AuthorizerUri: uri("GuardFunction"),
      IdentitySource: "method.request.header.Authorization",
      IdentityValidationExpression: "[a-z-]+",
      AuthorizerResultTtlInSeconds: 300,
    },
  },
  ServerErrors: {
    Type: "AWS::ApiGateway::GatewayResponse",
    Properties: {
      RestApiId: ref("Api"),
      ResponseType: "DEFAULT_5XX",
      ResponseParameters: { "gatewayresponse.header.Access-Control-Allow-Origin": "'*'" },
    },
  },
  Do: folder("do", root),
  What: folder("{what}", ref("Do")),
  DoWhat: method(ref("What"), "ANY", {}),
  Files: folder("files", root),
  File: folder("{path+}", ref("Files")),
  GetFile: method(ref("File"), "GET", {}),
  Broken: folder("broken", root),
  GetBroken: method(ref("Broken"), "GET", {}, "BrokenFunction"),
  Orders: folder("orders", root),
  PostOrder: method(ref("Orders"), "POST", {
    ...guarded,
    RequestValidatorId: ref("Validator"),
    RequestParameters: { "method.request.header.Idempotency-Key": true, "method.request.header.X-Optional": false },
  }),
  GetOrders: method(ref("Orders"), "GET", guarded),
  OrdersOptions: method(ref("Orders"), "OPTIONS", {
    Integration: {
      Type: "MOCK",
      RequestTemplates: { "application/json": "{ statusCode: 204 }" },
      IntegrationResponses: [
        {
          StatusCode: "204",
          ResponseParameters: { "method.response.header.Access-Control-Allow-Origin": "'https://shop.example'" },
        },
      ],
    },
  }),
  Slow: folder("slow", root),
  GetSlow: method(ref("Slow"), "GET", {
    Integration: { Type: "AWS_PROXY", TimeoutInMillis: 100, Uri: uri("Worker") },
    RequestParameters: {},
  }),
};

const mapping = (queue: string, properties: object) => ({
  Type: "AWS::Lambda::EventSourceMapping",
  Properties: {
    EventSourceArn: arn(queue),
    FunctionName: ref("Consumer"),
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    ...properties,
  },
});

/** An HTTP API in front of the worker. */
export const httpShop: Resources = {
  Role: { Type: "AWS::IAM::Role" },
  Worker: fn("worker"),
  Api: { Type: "AWS::ApiGatewayV2::Api", Properties: { Name: "shop", ProtocolType: "HTTP" } },
  Stage: {
    Type: "AWS::ApiGatewayV2::Stage",
    Properties: { ApiId: ref("Api"), StageName: "$default", AutoDeploy: true },
  },
  Integration: {
    Type: "AWS::ApiGatewayV2::Integration",
    Properties: {
      ApiId: ref("Api"),
      IntegrationType: "AWS_PROXY",
      IntegrationUri: arn("Worker"),
      PayloadFormatVersion: "2.0",
    },
  },
  Do: {
    Type: "AWS::ApiGatewayV2::Route",
    Properties: {
      ApiId: ref("Api"),
      RouteKey: "POST /do/{what}",
      AuthorizationType: "NONE",
      Target: { "Fn::Join": ["", ["integrations/", ref("Integration")]] },
    },
  },
};

/** A shop with everything that the local stack runs; `resources` come on top. */
export const shop: Resources = {
  ...api,
  Role: { Type: "AWS::IAM::Role" },
  Worker: fn("worker", {
    Environment: {
      Variables: {
        TABLE: ref("Table"),
        QUEUE: ref("Queue"),
        API: {
          "Fn::Join": [
            "",
            ["https://", ref("Api"), ".execute-api.", ref("AWS::Region"), ".", ref("AWS::URLSuffix"), "/prod/"],
          ],
        },
        PASSWORD: { "Fn::Join": ["", ["{{resolve:secretsmanager:", ref("Secret"), ":SecretString:password::}}"]] },
      },
    },
  }),
  BrokenFunction: fn("broken"),
  GuardFunction: fn("guard"),
  Consumer: fn("consumer"),
  Secret: {
    Type: "AWS::SecretsManager::Secret",
    Properties: { GenerateSecretString: { SecretStringTemplate: '{"user":"shop"}', GenerateStringKey: "password" } },
  },
  Table: {
    Type: "AWS::DynamoDB::GlobalTable",
    Properties: {
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
      Replicas: [{ Region: ref("AWS::Region") }],
    },
  },
  Queue: {
    Type: "AWS::SQS::Queue",
    Properties: {
      VisibilityTimeout: 60,
      RedrivePolicy: { deadLetterTargetArn: arn("DeadLetters"), maxReceiveCount: 2 },
    },
  },
  DeadLetters: { Type: "AWS::SQS::Queue" },
  Line: { Type: "AWS::SQS::Queue", Properties: { FifoQueue: true, ContentBasedDeduplication: true } },
  LineMapping: mapping("Line", {}),
  Bulk: { Type: "AWS::SQS::Queue" },
  BulkMapping: mapping("Bulk", { BatchSize: 100, MaximumBatchingWindowInSeconds: 1 }),
  Mapping: mapping("Queue", { BatchSize: 10 }),
};

const outputs = { QueueUrl: { Value: ref("Queue") }, TableName: { Value: ref("Table") } };

/** An empty folder that goes with the test file. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lambda-once-local-"));
  written.push(folder);
  return folder;
}

const written: string[] = [];
afterAll(() => {
  for (const folder of written) rmSync(folder, { recursive: true, force: true });
});

/** Writes a `cdk.out` with one stack, `Shop`, whose functions are the files of `handlers/`. */
export function writeAssembly(resources: Resources = shop, Outputs: object = outputs): string {
  const cdkOut = newFolder();
  const write = (name: string, value: object) => writeFileSync(join(cdkOut, name), JSON.stringify(value));
  const destinations = { current: { bucketName: "assets", objectKey: "handlers.zip" } };
  write("Shop.template.json", { Resources: resources, Outputs });
  write("Shop.assets.json", { files: { handlers: { source: { path: handlers, packaging: "zip" }, destinations } } });
  write("manifest.json", {
    artifacts: {
      "Shop.assets": { type: "cdk:asset-manifest", properties: { file: "Shop.assets.json" } },
      Shop: { type: "aws:cloudformation:stack", properties: { templateFile: "Shop.template.json" } },
    },
  });
  return cdkOut;
}
