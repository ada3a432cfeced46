import { Duration, Lazy, Stack, Token } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { type IVpc, Vpc } from "aws-cdk-lib/aws-ec2";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { type IdempotentFunctionProps, NodeFunction } from "lambda-once/cdk";
import { describe, expect, it } from "vitest";
import { aFunction, allows, arnOf, emptyStack, entry, fastApp, only, templateOf } from "./kit.ts";

const FUNCTION = "AWS::Lambda::Function";
const refused = (props: Partial<IdempotentFunctionProps>) => () => aFunction(emptyStack(), props);

describe("IdempotentFunction", () => {
  it("is nodejs24.x on arm64, traced, with JSON logs that are kept a month, and knows its table", () => {
    const template = templateOf((stack) => aFunction(stack, { environment: { STAGE: "test" } }));
    template.hasResourceProperties(FUNCTION, {
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
      Timeout: 15,
      MemorySize: 512,
      TracingConfig: { Mode: "Active" },
      LoggingConfig: { LogFormat: "JSON", LogGroup: { Ref: Match.stringLikeRegexp("^HandlerLogs") } },
      Environment: {
        Variables: {
          LAMBDA_ONCE_TABLE: { Ref: Match.stringLikeRegexp("^RecordsTable") },
          NODE_OPTIONS: "--enable-source-maps",
          STAGE: "test",
        },
      },
    });
    expect(only(template, "AWS::Logs::LogGroup")).toEqual({ RetentionInDays: 30 });
  });

  it("may use its table, write its own log and its traces, and nothing else", () => {
    const template = templateOf((stack) => aFunction(stack));
    const actions = ["PutItem", "UpdateItem", "DeleteItem", "GetItem"].map((name) => `dynamodb:${name}`);
    allows(template, actions, arnOf("RecordsTable"));
    allows(template, ["logs:CreateLogStream", "logs:PutLogEvents"], arnOf("HandlerLogs"));
    allows(template, ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*");
    expect((only(template, "AWS::IAM::Policy")["PolicyDocument"] as { Statement: unknown[] }).Statement).toHaveLength(
      3,
    );
    expect(only(template, "AWS::IAM::Role")).not.toHaveProperty("ManagedPolicyArns");
  });

  it("takes what NodejsFunction takes", () => {
    const template = templateOf((stack) => {
      const role = new Role(stack, "Own", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
      aFunction(stack, {
        role,
        runtime: Runtime.NODEJS_22_X,
        timeout: Duration.minutes(15),
        memorySize: 10_240,
        logRetention: RetentionDays.ONE_DAY,
        reservedConcurrentExecutions: 3,
      });
    });
    template.resourceCountIs("AWS::IAM::Role", 1);
    expect(only(template, "AWS::Logs::LogGroup")).toEqual({ RetentionInDays: 1 });
    expect(only(template, FUNCTION)).toMatchObject({
      Runtime: "nodejs22.x",
      Timeout: 900,
      MemorySize: 10_240,
      ReservedConcurrentExecutions: 3,
    });
  });

  it("leaves the role to the CDK in a VPC or with a log group of one's own", () => {
    const inVpc = templateOf((stack) => new NodeFunction(stack, "F", { entry, vpc: new Vpc(stack, "Vpc") as IVpc }));
    inVpc.hasResourceProperties("AWS::IAM::Role", {
      ManagedPolicyArns: Match.arrayWith([Match.objectLike({ "Fn::Join": Match.anyValue() })]),
    });
    const ownLog = templateOf((stack) => {
      new NodeFunction(stack, "F", { entry, logGroup: new LogGroup(stack, "Mine") });
    });
    ownLog.resourceCountIs("AWS::Logs::LogGroup", 1);
    ownLog.hasResourceProperties("AWS::IAM::Role", { ManagedPolicyArns: Match.anyValue() });
  });

  it.each([
    [Duration.seconds(0), "0 s"],
    [Duration.seconds(901), "901 s"],
    [Duration.millis(1500), "1.5 s"],
  ])("refuses a timeout of %s", (timeout, shown) => {
    expect(refused({ timeout })).toThrow(
      `Test: timeout of Handler is ${shown}; allowed are whole seconds from 1 s to 900 s`,
    );
  });

  it.each([127, 10_241, 512.5])("refuses a memory of %s MB", (memorySize) => {
    expect(refused({ memorySize })).toThrow(
      `memorySize of Handler is ${memorySize}; allowed are the whole numbers from 128`,
    );
  });

  it("refuses a timeout that outlives its lock", () => {
    expect(refused({ timeout: Duration.seconds(30), lockFor: Duration.seconds(20) })).toThrow(
      /Test\/Handler: timeout is 30 s under a lockFor of 20 s, .* allowed is a lockFor of at least 35 s, or none/,
    );
    expect(refused({ lockFor: Duration.seconds(19) })).toThrow("timeout is 15 s under a lockFor of 19 s");
    expect(refused({ lockFor: Duration.seconds(20) })).not.toThrow();
  });

  // Seen by a reviewer: the function could not write its log.
  it("lets a role of one's own write the log", () => {
    const template = templateOf((stack) => {
      aFunction(stack, { role: new Role(stack, "Own", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") }) });
    });
    allows(template, ["logs:CreateLogStream", "logs:PutLogEvents"], arnOf("HandlerLogs"));
    // Of another stack, too.
    const app = fastApp();
    const role = new Role(new Stack(app, "Roles"), "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    const functions = new Stack(app, "Functions");
    new NodeFunction(functions, "Fn", { entry, role });
    Template.fromStack(functions).resourceCountIs("AWS::IAM::Policy", 1);
    // And one that is not to be changed is not.
    const central = templateOf((stack) => {
      const arn = "arn:aws:iam::123456789012:role/central";
      aFunction(stack, { role: Role.fromRoleArn(stack, "Central", arn, { mutable: false }) });
    });
    central.resourceCountIs("AWS::IAM::Policy", 0);
  });

  it("refuses a retention of lines in a log group of one's own, and times that are none", () => {
    const stack = emptyStack();
    const logGroup = new LogGroup(stack, "Mine");
    expect(() => aFunction(stack, { logGroup, logRetention: RetentionDays.ONE_DAY })).toThrow(
      "logRetention of Handler is given beside a logGroup; allowed is the retention of that group",
    );
    expect(refused({ expiresAfter: Duration.seconds(0) })).toThrow("expiresAfter is 0 s; allowed are whole seconds");
    expect(refused({ lockFor: Duration.millis(20_500) })).toThrow("lockFor is 20.5 s; allowed are whole seconds");
  });

  it("refuses records that expire under their lock", () => {
    expect(refused({ lockFor: Duration.minutes(2), expiresAfter: Duration.minutes(1) })).toThrow(
      "expiresAfter is 60 s under a lockFor of 120 s; allowed is at least the lockFor",
    );
  });

  it("does not judge what is known only at deployment", () => {
    const later = Duration.seconds(Token.asNumber(Lazy.any({ produce: () => 60 })));
    const template = templateOf((stack) => aFunction(stack, { timeout: later, lockFor: Duration.seconds(10) }));
    expect(only(template, FUNCTION)).toMatchObject({ Timeout: 60 });
  });
});
