import { RemovalPolicy, type Stack } from "aws-cdk-lib";
import type { Template } from "aws-cdk-lib/assertions";
import { AlarmRule, CompositeAlarm, type IAlarmAction } from "aws-cdk-lib/aws-cloudwatch";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { IdempotencyTable, type IdempotencyTableProps } from "lambda-once/cdk";
import { describe, expect, it } from "vitest";
import { allows, arnOf, emptyStack, env, only, templateOf } from "./kit.ts";

const TABLE = "AWS::DynamoDB::GlobalTable";
const ACTIONS = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];

function withTable(props?: IdempotencyTableProps, more: (table: IdempotencyTable, stack: Stack) => void = () => {}) {
  return templateOf((stack) => more(new IdempotencyTable(stack, "Records", props), stack));
}

const refused = (props: IdempotencyTableProps) => () => new IdempotencyTable(emptyStack(), "Records", props);

const replica = (template: Template) => (only(template, TABLE)["Replicas"] as Record<string, unknown>[])[0];

const grantTo = (table: IdempotencyTable, stack: Stack) =>
  table.grantIdempotency(new Role(stack, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") }));

describe("IdempotencyTable", () => {
  it("is on demand, keyed by id, with TTL, recovery, protection, encryption, and is kept when it leaves the stack", () => {
    const template = withTable();
    template.hasResource(TABLE, { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
    expect(only(template, TABLE)).toEqual({
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
      TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: "KMS" },
      Replicas: [
        {
          Region: { Ref: "AWS::Region" },
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      ],
    });
  });

  it("takes a name, limits of throughput, and a removal that is meant", () => {
    const template = withTable({
      tableName: "records",
      maxReadRequestUnits: 10,
      maxWriteRequestUnits: 20,
      deletionProtection: false,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    template.hasResource(TABLE, { DeletionPolicy: "Delete" });
    expect(only(template, TABLE)).toMatchObject({
      TableName: "records",
      WriteOnDemandThroughputSettings: { MaxWriteRequestUnits: 20 },
    });
    expect(replica(template)).toMatchObject({
      DeletionProtectionEnabled: false,
      ReadOnDemandThroughputSettings: { MaxReadRequestUnits: 10 },
    });
  });

  it("grants the four actions that the library calls, on this table alone", () => {
    const template = withTable({}, grantTo);
    allows(template, ACTIONS, arnOf("RecordsTable"));
    const policy = only(template, "AWS::IAM::Policy")["PolicyDocument"] as { Statement: unknown[] };
    expect(policy.Statement).toHaveLength(1);
    expect(JSON.stringify(policy)).not.toMatch(/\*|Scan|Query/);
  });

  it("grants the use of a customer's key through DynamoDB only, without wildcards", () => {
    const own = templateOf(
      (stack) => grantTo(new IdempotencyTable(stack, "Records", { encryptionKey: new Key(stack, "Key") }), stack),
      { env },
    );
    expect(replica(own)).toMatchObject({
      SSESpecification: { KMSMasterKeyId: { "Fn::GetAtt": ["Key961B73FD", "Arn"] } },
    });
    allows(
      own,
      [
        ...["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
        ...["kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"],
      ],
      arnOf("Key"),
      {
        Condition: {
          StringEquals: {
            "kms:ViaService": { "Fn::Join": ["", ["dynamodb.eu-central-1.", { Ref: "AWS::URLSuffix" }]] },
          },
        },
      },
    );
    expect(JSON.stringify(only(own, "AWS::IAM::Policy"))).not.toContain("*");
  });

  it("alarms on throttles, system errors and the rate of conditional failures, and tells who is given", () => {
    const action: IAlarmAction = { bind: () => ({ alarmActionArn: "arn:aws:sns:eu-central-1:123456789012:oncall" }) };
    const template = withTable({}, (table) => table.addAlarms({ action, conditionalFailurePercent: 20 }));
    const alarms = Object.values(template.findResources("AWS::CloudWatch::Alarm")).map(({ Properties }) => Properties);
    expect(alarms.map(({ Threshold, EvaluationPeriods }) => [Threshold, EvaluationPeriods])).toEqual([
      [1, 1],
      [1, 1],
      [20, 3],
    ]);
    const metrics = alarms.map(({ Metrics }) => JSON.stringify(Metrics));
    for (const name of ["PutItem", "UpdateItem", "DeleteItem", "GetItem", "TransactWriteItems"]) {
      expect(metrics[0]).toContain(name);
      expect(metrics[1]).toContain(name);
    }
    expect(metrics[0]).toContain("ThrottledRequests");
    expect(metrics[1]).toContain("SystemErrors");
    expect(metrics[2]).toContain("ConditionalCheckFailedRequests");
    expect(metrics[2]).toContain("TransactWriteItems");
    for (const alarm of alarms) {
      expect(alarm).toMatchObject({
        AlarmActions: ["arn:aws:sns:eu-central-1:123456789012:oncall"],
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        TreatMissingData: "notBreaching",
      });
    }
  });

  it("gives its alarms back, for alarms of one's own over them", () => {
    const template = withTable({}, (table, stack) => {
      new CompositeAlarm(stack, "Any", { alarmRule: AlarmRule.anyOf(...table.addAlarms()) });
    });
    template.resourceCountIs("AWS::CloudWatch::Alarm", 3);
    template.resourceCountIs("AWS::CloudWatch::CompositeAlarm", 1);
  });

  it("refuses replicas, and says why", () => {
    expect(refused({ replicaRegions: ["eu-west-1", "us-east-1"] })).toThrow(
      /Test\/Records: replicaRegions is eu-west-1, us-east-1; allowed is none, .* two Regions can claim the same key.* acceptOneClaimPerRegion: true/,
    );
  });

  it("makes replicas for a caller who accepts one claim in each Region", () => {
    const replicated = { replicaRegions: ["eu-west-1"], acceptOneClaimPerRegion: true };
    const template = templateOf((stack) => new IdempotencyTable(stack, "Records", replicated), { env });
    const recovery = { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } };
    expect(only(template, TABLE)["Replicas"]).toMatchObject([
      { Region: "eu-west-1", ...recovery },
      { Region: "eu-central-1", ...recovery },
    ]);
  });

  it.each([
    ["maxReadRequestUnits", 0],
    ["maxReadRequestUnits", 1.5],
    ["maxWriteRequestUnits", -1],
    ["maxWriteRequestUnits", Number.NaN],
  ])("refuses %s of %s", (name, value) => {
    expect(refused({ [name]: value })).toThrow(
      `Test/Records: ${name} is ${value}; allowed are the whole numbers from 1`,
    );
  });

  // Seen by a reviewer: all of these were synthesized, or failed with three sentences of the CDK's.
  it.each<[string, IdempotencyTableProps, string]>([
    ["a short name", { tableName: "a" }, "tableName is 'a'; allowed are 3 to 255 letters, digits, '_', '-', '.'"],
    ["an empty name", { tableName: "" }, "tableName is ''"],
    ["a name with a space", { tableName: "a name" }, "tableName is 'a name'"],
    ["a long name", { tableName: "x".repeat(256) }, "allowed are 3 to 255 letters"],
    ["keys of replicas alone", { replicaKeyArns: { "eu-west-1": "arn:x" } }, "replicaKeyArns is given without an enc"],
  ])("refuses %s", (_, props, sentence) => {
    expect(refused(props)).toThrow(sentence);
  });

  it("refuses a key of one's own where the Region is not known", () => {
    const stack = emptyStack();
    expect(() => new IdempotencyTable(stack, "Records", { encryptionKey: new Key(stack, "Key") })).toThrow(
      /encryptionKey is given in a stack whose Region is known only at deployment; allowed .* env: \{ region \}/,
    );
  });

  it("refuses to be destroyed with the stack while it is protected from that", () => {
    expect(refused({ removalPolicy: RemovalPolicy.DESTROY })).toThrow(
      "removalPolicy is destroy under deletionProtection; allowed is it with deletionProtection: false",
    );
  });

  it.each([0, 101, 12.5])("refuses an alarm at %s percent", (conditionalFailurePercent) => {
    const table = new IdempotencyTable(emptyStack(), "Records");
    expect(() => table.addAlarms({ conditionalFailurePercent })).toThrow(
      `conditionalFailurePercent is ${conditionalFailurePercent}; allowed are the whole numbers from 1 to 100`,
    );
  });
});
