import { Match } from "aws-cdk-lib/assertions";
import { AttributeType, StreamViewType, TableV2 } from "aws-cdk-lib/aws-dynamodb";
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

  it("is refused for a table without a stream", () => {
    const stack = emptyStack();
    const orders = new TableV2(stack, "Orders", { partitionKey });
    expect(() => new NodeFunction(stack, "Publisher", { entry, outboxOf: orders })).toThrow(
      "outboxOf is a table without a stream; allowed is one with dynamoStream: StreamViewType.NEW_IMAGE",
    );
  });
});
