import { Match } from "aws-cdk-lib/assertions";
import { AttributeType, StreamViewType, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { NodeFunction } from "lambda-once/cdk";
import { describe, expect, it } from "vitest";
import { emptyStack, entry, only, templateOf } from "./kit.ts";

const partitionKey = { name: "id", type: AttributeType.STRING };

describe("a function with outboxOf", () => {
  it("reads the new events of the table's stream, all of them, and hands back what it could not send", () => {
    const template = templateOf((stack) => {
      const orders = new TableV2(stack, "Orders", { partitionKey, dynamoStream: StreamViewType.NEW_IMAGE });
      new NodeFunction(stack, "Publisher", { entry, outboxOf: orders });
    });
    expect(only(template, "AWS::Lambda::EventSourceMapping")).toMatchObject({
      StartingPosition: "TRIM_HORIZON",
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      FilterCriteria: {
        Filters: [{ Pattern: '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"outbox":{"S":[{"exists":true}]}}}}' }],
      },
    });
    template.hasResourceProperties("AWS::IAM::Policy", {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Action: Match.arrayWith(["dynamodb:GetRecords"]) })]),
      },
    });
  });

  it("tells where one asks for it which events were not taken, and goes on", () => {
    const template = templateOf((stack) => {
      const outboxOf = new TableV2(stack, "Orders", { partitionKey, dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES });
      const outboxFailures = new SqsDlq(new Queue(stack, "Untaken"));
      new NodeFunction(stack, "Publisher", { entry, outboxOf, outboxFailures });
    });
    expect(only(template, "AWS::Lambda::EventSourceMapping")).toMatchObject({
      MaximumRetryAttempts: 20,
      DestinationConfig: { OnFailure: { Destination: { "Fn::GetAtt": [expect.stringMatching(/^Untaken/), "Arn"] } } },
    });
  });

  it("is refused without its table, and retries that would lose events", () => {
    const stack = emptyStack();
    const outboxFailures = new SqsDlq(new Queue(stack, "Untaken"));
    expect(() => new NodeFunction(stack, "A", { entry, outboxFailures })).toThrow(
      "outboxFailures is given without out",
    );
    expect(() => new NodeFunction(stack, "B", { entry, outboxRetries: 3 })).toThrow(
      "outboxRetries is given without out",
    );
  });

  // Seen by a reviewer: its events were published never, in silence.
  it.each([StreamViewType.KEYS_ONLY, StreamViewType.OLD_IMAGE])("is refused for a stream of %s", (dynamoStream) => {
    const stack = emptyStack();
    const orders = new TableV2(stack, "Orders", { partitionKey, dynamoStream });
    expect(() => new NodeFunction(stack, "Publisher", { entry, outboxOf: orders })).toThrow(
      `outboxOf is a table with a stream of ${dynamoStream}; allowed is one with dynamoStream: StreamViewType.NEW_IMAGE`,
    );
  });

  it("is refused for a table without a stream", () => {
    const stack = emptyStack();
    const orders = new TableV2(stack, "Orders", { partitionKey });
    expect(() => new NodeFunction(stack, "Publisher", { entry, outboxOf: orders })).toThrow(
      "outboxOf is a table without a stream; allowed is one with dynamoStream: StreamViewType.NEW_IMAGE",
    );
  });
});
