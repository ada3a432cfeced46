import { type Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";
import type { IdempotentApi, IdempotentQueue, NodeFunction } from "lambda-once/cdk";

interface Audited {
  readonly functions: readonly NodeFunction[];
  readonly api: IdempotentApi;
  readonly queue: IdempotentQueue;
  /** Routes whose callers prove themselves otherwise. */
  readonly unauthorized: readonly IConstruct[];
  readonly secrets: readonly IConstruct[];
}

/** Every finding of cdk-nag that this stack lives with, at the construct that it is about, and why. */
export function acknowledgeFindings(stack: Stack, { functions, api, unauthorized, queue, secrets }: Audited): void {
  const acknowledge = (on: IConstruct, id: string, reason: string): void =>
    Validations.of(on).acknowledge({ id: `${id.split("-")[0]}::${id}`, reason });

  for (const { node, role } of functions) {
    const lambda = stack.node.findChild(node.id);
    if (role !== undefined) {
      acknowledge(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "xray:PutTraceSegments and xray:PutTelemetryRecords alone, which AWS offers for no narrower resource",
      );
    }
    acknowledge(
      lambda,
      "Serverless-LambdaDLQ",
      "A function's dead-letter queue is for asynchronous invocations; API Gateway and the SQS mapping invoke synchronously",
    );
  }
  acknowledge(
    queue.deadLetterQueue,
    "Serverless-SQSRedrivePolicy",
    "It is the dead-letter queue: nothing reads it but people, told by its alarm",
  );
  acknowledge(
    queue.mapping,
    "Serverless-LambdaEventSourceMappingDestination",
    "A mapping from SQS has no failure destination; the queue's redrive policy is what takes failed messages",
  );
  acknowledge(
    api.api,
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
    "The policy that AWS documents for the account's role by which API Gateway writes logs",
  );
  acknowledge(
    api.api,
    "AwsSolutions-APIG3",
    "An example: a web ACL costs a monthly fee. Throttling and the authorizer stand in front of the functions",
  );
  acknowledge(
    api.api,
    "AwsSolutions-COG4",
    "The callers have signed bearer tokens, which a Lambda authorizer verifies",
  );
  for (const method of unauthorized) {
    acknowledge(
      method,
      "AwsSolutions-APIG4",
      "A webhook: the function verifies the provider's signature before it does anything else",
    );
  }
  for (const secret of secrets) {
    acknowledge(
      secret,
      "AwsSolutions-SMG4",
      "A new secret ends what was signed with the old one: it is put by hand when that is wanted, and used within five minutes",
    );
  }
}
