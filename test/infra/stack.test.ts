import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Validations } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { AwsSolutionsChecks } from "cdk-nag";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OrderServiceStack } from "../../infra/demo/stack.ts";
import { arnOf, fastApp, only } from "./constructs/kit.ts";

interface Violation {
  readonly ruleName: string;
  readonly acknowledgedAt?: string;
  readonly reason?: string;
}
interface Report {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly conclusion: string;
    readonly violations: readonly Violation[];
    readonly suppressedViolations?: readonly Violation[];
  }[];
}

/** What the CLI does with cdk.json: it runs the line `app` and reads what that leaves in a folder. */
async function synthesize(outdir: string): Promise<void> {
  const { app, context } = JSON.parse(await readFile("cdk.json", "utf8")) as { app: string; context: object };
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  await promisify(execFile)("sh", ["-c", app], {
    env: { ...Object.fromEntries(environment), CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) },
  });
}

let assembly: string;
let template: Template;
let report: Report;

beforeAll(async () => {
  assembly = await mkdtemp(join(tmpdir(), "lambda-once-synth-"));
  await synthesize(assembly);
  const read = async (name: string) => JSON.parse(await readFile(join(assembly, name), "utf8"));
  template = Template.fromJSON(await read("OrderService.template.json"));
  report = await read("validation-report.json");
}, 60_000);
afterAll(() => rm(assembly, { recursive: true, force: true }));

const FUNCTION = "AWS::Lambda::Function";
const TABLE = "AWS::DynamoDB::GlobalTable";

describe("the order service's stack", () => {
  it("passes cdk-nag's AwsSolutions and Serverless, and CloudFormation's own rules", () => {
    // The validator of CloudFormation's rules reports only where it found something.
    expect(report.pluginReports.map(({ pluginName, conclusion }) => [pluginName, conclusion])).toEqual([
      ["AwsSolutions", "success"],
      ["Serverless", "success"],
    ]);
    expect(report.pluginReports.flatMap(({ violations }) => violations)).toEqual([]);
  });

  it("acknowledges these findings, each where it is and with its reason", () => {
    const acknowledged = report.pluginReports.flatMap(({ suppressedViolations = [] }) => suppressedViolations);
    const found = acknowledged.map(
      ({ ruleName, acknowledgedAt }) => `${ruleName.replace(/\[.*/, "")} at ${acknowledgedAt}`,
    );
    expect(found.sort()).toEqual([
      "AwsSolutions-APIG3 at OrderService/Api/Api",
      "AwsSolutions-APIG4 at OrderService/Api/Api/Default/webhooks/payment/POST",
      "AwsSolutions-COG4 at OrderService/Api/Api",
      "AwsSolutions-IAM4 at OrderService/Api/Api",
      "AwsSolutions-IAM5 at OrderService/AuthorizerRole",
      "AwsSolutions-IAM5 at OrderService/CheckoutsRole",
      "AwsSolutions-IAM5 at OrderService/OrdersRole",
      "AwsSolutions-IAM5 at OrderService/PaymentsRole",
      "AwsSolutions-IAM5 at OrderService/WebhookRole",
      "AwsSolutions-SMG4 at OrderService/OrderTokenSecret",
      "AwsSolutions-SMG4 at OrderService/TokenSecret",
      "AwsSolutions-SMG4 at OrderService/WebhookSecret",
      "Serverless-LambdaDLQ at OrderService/Authorizer",
      "Serverless-LambdaDLQ at OrderService/Checkouts",
      "Serverless-LambdaDLQ at OrderService/Orders",
      "Serverless-LambdaDLQ at OrderService/Payments",
      "Serverless-LambdaDLQ at OrderService/Webhook",
      "Serverless-LambdaEventSourceMappingDestination at OrderService/Payments/OrderServicePaymentQueueEA799254Mapping",
      "Serverless-SQSRedrivePolicy at OrderService/PaymentQueue/DeadLetters",
    ]);
    for (const { reason } of acknowledged) expect(reason?.length).toBeGreaterThan(40);
  });

  it("is not synthesized with a finding that nobody has acknowledged", async () => {
    const app = fastApp();
    new Queue(new OrderServiceStack(app, "OrderService"), "Unsafe");
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).toThrow(/OrderService\/Unsafe/);
    const { pluginReports }: Report = JSON.parse(await readFile(join(app.outdir, "validation-report.json"), "utf8"));
    expect(pluginReports[0]?.violations.map(({ ruleName }) => ruleName)).toEqual([
      "AwsSolutions-SQS3",
      "AwsSolutions-SQS4",
    ]);
  });

  it("recovers, protects and keeps all tables, which cdk-nag does not see", () => {
    template.resourceCountIs(TABLE, 3);
    template.allResources(TABLE, { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
    template.allResourcesProperties(TABLE, {
      BillingMode: "PAY_PER_REQUEST",
      SSESpecification: { SSEEnabled: true },
      Replicas: [
        {
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          Region: { Ref: "AWS::Region" },
        },
      ],
    });
  });

  it("runs all functions on the same terms", () => {
    template.resourceCountIs(FUNCTION, 5);
    template.allResourcesProperties(FUNCTION, {
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      TracingConfig: { Mode: "Active" },
      LoggingConfig: { LogFormat: "JSON", LogGroup: Match.anyValue() },
    });
    template.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 30 });
  });

  it("gives each handler its tables and what it does there, and the secret that it reads alone", () => {
    const tables: Record<string, readonly string[]> = {
      Orders: ["ORDERS_TABLE", "LEDGER_TABLE"],
      Checkouts: ["ORDERS_TABLE", "LEDGER_TABLE"],
      Webhook: ["ORDERS_TABLE"],
      Payments: ["LEDGER_TABLE"],
    };
    const names: Record<string, string> = { ORDERS_TABLE: "^OrderTable", LEDGER_TABLE: "^Ledger" };
    for (const [name, variables] of Object.entries(tables)) {
      const Variables = Object.fromEntries(
        variables.map((variable) => [variable, { Ref: Match.stringLikeRegexp(names[variable] ?? "") }]),
      );
      template.hasResourceProperties(FUNCTION, {
        Environment: {
          Variables: { LAMBDA_ONCE_TABLE: { Ref: Match.stringLikeRegexp("^IdempotencyTable") }, ...Variables },
        },
        Role: arnOf(`${name}Role`),
      });
    }
    const may = (role: string, resource: string): string[] =>
      Object.values(template.findResources("AWS::IAM::Policy"))
        .filter(({ Properties }) => Properties.Roles[0].Ref.startsWith(`${role}Role`))
        .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
        .filter(({ Resource }) => JSON.stringify(Resource).includes(`"${resource}`))
        .flatMap(({ Action }) => Action)
        .sort();
    expect(may("Orders", "OrderTable")).toEqual(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]);
    expect(may("Checkouts", "OrderTable")).toEqual(["dynamodb:PutItem"]);
    expect(may("Webhook", "OrderTable")).toEqual(["dynamodb:UpdateItem"]);
    expect(may("Payments", "OrderTable")).toEqual([]);
    for (const role of ["Orders", "Checkouts", "Payments"]) expect(may(role, "Ledger")).toEqual(["dynamodb:PutItem"]);
    expect(may("Webhook", "Ledger")).toEqual([]);
    const readers = { Authorizer: "TokenSecret", Checkouts: "OrderTokenSecret", Webhook: "WebhookSecret" };
    for (const [role, secret] of Object.entries(readers)) {
      expect(may(role, secret)).toEqual(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]);
      for (const other of Object.values(readers)) if (other !== secret) expect(may(role, other)).toEqual([]);
    }
    for (const role of ["Orders", "Payments"])
      for (const secret of Object.values(readers)) expect(may(role, secret)).toEqual([]);
    const policies = Object.values(template.findResources("AWS::IAM::Policy"));
    const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
    const wide = statements.filter(({ Resource }) => Resource === "*").map(({ Action }) => Action);
    expect(wide).toEqual(Array(5).fill(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]));
  });

  it("has the secrets' values in no template and no environment", () => {
    expect(JSON.stringify(template.toJSON())).not.toContain("{{resolve:");
    const secrets = {
      TOKEN_SECRET_ARN: "^Token",
      ORDER_TOKEN_SECRET_ARN: "^OrderToken",
      WEBHOOK_SECRET_ARN: "^Webhook",
    };
    for (const [variable, name] of Object.entries(secrets)) {
      template.hasResourceProperties(FUNCTION, {
        Environment: { Variables: { [variable]: { Ref: Match.stringLikeRegexp(`${name}Secret`) } } },
        Layers: Match.anyValue(),
      });
    }
  });

  it("asks for a bearer token on every route but the webhook's, and for an Idempotency-Key where one is the key", () => {
    const paths = template.findResources("AWS::ApiGateway::Resource");
    const pathOf = (id: string): string => {
      const { PathPart, ParentId } = paths[id]?.["Properties"] ?? {};
      return PathPart === undefined ? "" : `${pathOf(ParentId.Ref ?? "")}/${PathPart}`;
    };
    const routes = Object.values(template.findResources("AWS::ApiGateway::Method")).map(({ Properties }) => {
      const { HttpMethod, ResourceId, AuthorizationType, RequestParameters = {} } = Properties;
      const isRequired = RequestParameters["method.request.header.Idempotency-Key"] === true;
      return `${HttpMethod} ${pathOf(ResourceId.Ref)} ${AuthorizationType}${isRequired ? " with a key" : ""}`;
    });
    expect(routes.sort()).toEqual([
      "POST /checkouts CUSTOM with a key",
      "POST /orders CUSTOM with a key",
      "POST /orders/{id}/cancel CUSTOM with a key",
      "POST /orders/{id}/pay CUSTOM",
      "POST /tokens CUSTOM",
      "POST /webhooks/payment NONE",
      "PUT /orders/{id} CUSTOM",
    ]);
    const { IdentityValidationExpression } = only(template, "AWS::ApiGateway::Authorizer");
    expect("Bearer eyJzdWIiOiJhIn0.c2ln").toMatch(new RegExp(`${IdentityValidationExpression}`));
    expect("Basic dXNlcjpwYXNz").not.toMatch(new RegExp(`${IdentityValidationExpression}`));
  });

  it("tells where everything is", () => {
    const tables = ["IdempotencyTableName", "OrderTableName", "LedgerTableName"];
    const queues = ["PaymentQueueUrl", "PaymentDeadLetterQueueUrl"];
    const names = ["ApiUrl", "OrdersLogGroupName", "TokenSecretArn", "WebhookSecretArn"];
    for (const name of [...tables, ...queues, ...names]) template.hasOutput(name, { Value: Match.anyValue() });
  });

  it("bundles each function to one small module with its map, the library and the AWS SDK inside", async () => {
    const assets = (await readdir(assembly)).filter((name) => name.startsWith("asset."));
    expect(assets).toHaveLength(5);
    for (const asset of assets) {
      expect((await readdir(join(assembly, asset))).sort()).toEqual(["index.mjs", "index.mjs.map"]);
      const code = await readFile(join(assembly, asset, "index.mjs"), "utf8");
      expect(code.length).toBeLessThan(600_000);
      expect(code).toContain("//# sourceMappingURL=index.mjs.map");
      expect(code).not.toMatch(/from\s*"(?:@aws-sdk|lambda-once)/);
    }
  });

  it("can be had for an hour, and then leaves nothing behind", () => {
    const disposable = Template.fromStack(new OrderServiceStack(fastApp(), "OrderService", { disposable: true }));
    disposable.allResources(TABLE, { DeletionPolicy: "Delete" });
    disposable.allResourcesProperties(TABLE, { Replicas: [Match.objectLike({ DeletionProtectionEnabled: false })] });
  });
});
