import { Duration, Stack } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { type IdempotentFunctionProps, IdempotentQueue, type IdempotentQueueProps } from "lambda-once/cdk";
import { describe, expect, it } from "vitest";
import { aFunction, allows, arnOf, emptyStack, env, fastApp, only, templateOf } from "./kit.ts";

const QUEUE = "AWS::SQS::Queue";
const MAPPING = "AWS::Lambda::EventSourceMapping";
const LONG = { expiresAfter: Duration.days(15) };

type Props = Omit<IdempotentQueueProps, "consumer">;

const withQueue = (props: Props = {}, more: (queue: IdempotentQueue) => void = () => {}) =>
  templateOf((stack) => more(new IdempotentQueue(stack, "Payments", { consumer: aFunction(stack, LONG), ...props })));

const refused =
  (props: Props, handler: Partial<IdempotentFunctionProps> = LONG) =>
  () => {
    const stack = emptyStack();
    new IdempotentQueue(stack, "Payments", { consumer: aFunction(stack, handler), ...props });
  };

describe("IdempotentQueue", () => {
  it("has a dead-letter queue that keeps longer, encryption, and hides a message for six timeouts", () => {
    const template = withQueue();
    template.hasResourceProperties(QUEUE, {
      MessageRetentionPeriod: 4 * 86_400,
      VisibilityTimeout: 90,
      SqsManagedSseEnabled: true,
      RedrivePolicy: { deadLetterTargetArn: arnOf("PaymentsDeadLetters"), maxReceiveCount: 5 },
    });
    template.hasResourceProperties(QUEUE, { MessageRetentionPeriod: 14 * 86_400, SqsManagedSseEnabled: true });
    template.resourceCountIs(QUEUE, 2);
  });

  it("takes both queues' messages over TLS only", () => {
    const template = withQueue();
    for (const id of ["PaymentsQueue", "PaymentsDeadLetters"]) {
      template.hasResourceProperties("AWS::SQS::QueuePolicy", {
        PolicyDocument: {
          Statement: [
            {
              Action: "sqs:*",
              Effect: "Deny",
              Principal: { AWS: "*" },
              Resource: arnOf(id),
              Condition: { Bool: { "aws:SecureTransport": "false" } },
            },
          ],
        },
      });
    }
  });

  it("is read by its consumer, which reports failed messages one by one", () => {
    const template = withQueue();
    expect(only(template, MAPPING)).toMatchObject({
      BatchSize: 10,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
    template.hasResource(MAPPING, {
      DependsOn: Match.arrayWith([Match.stringLikeRegexp("^HandlerRoleDefaultPolicy")]),
    });
    const actions = ["ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage"];
    allows(
      template,
      actions.map((name) => `sqs:${name}`),
      arnOf("PaymentsQueue"),
    );
  });

  it("adds the window in which a batch is collected to the visibility timeout", () => {
    const template = withQueue({ batchSize: 500, maxBatchingWindow: Duration.seconds(20), maxConcurrency: 5 });
    expect(only(template, MAPPING)).toMatchObject({
      BatchSize: 500,
      MaximumBatchingWindowInSeconds: 20,
      ScalingConfig: { MaximumConcurrency: 5 },
    });
    template.hasResourceProperties(QUEUE, { VisibilityTimeout: 110 });
  });

  it("can be FIFO, its dead-letter queue with it", () => {
    const template = withQueue({ fifo: true });
    template.allResourcesProperties(QUEUE, { FifoQueue: true });
    template.hasResourceProperties(QUEUE, { MessageRetentionPeriod: 10 * 86_400 });
  });

  it("encrypts with a key of one's own, which the consumer may use", () => {
    const template = templateOf((stack) => {
      const encryptionKey = new Key(stack, "Key");
      new IdempotentQueue(stack, "Payments", { consumer: aFunction(stack, LONG), encryptionKey });
    });
    template.allResourcesProperties(QUEUE, { KmsMasterKeyId: arnOf("Key") });
    template.hasResourceProperties("AWS::IAM::Policy", {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: "kms:Decrypt" })]) },
    });
  });

  // Seen by a reviewer: the mapping stood in the queue's stack and needed the consumer's policy, a circle.
  it("can stand in another stack than its consumer, and one consumer reads several", () => {
    const app = fastApp();
    const [functions, queues] = [new Stack(app, "Functions", { env }), new Stack(app, "Queues", { env })];
    const consumer = aFunction(functions, LONG);
    new IdempotentQueue(queues, "Payments", { consumer });
    new IdempotentQueue(queues, "Refunds", { consumer });
    Template.fromStack(functions).resourceCountIs(MAPPING, 2);
    Template.fromStack(queues).resourceCountIs(QUEUE, 4);
  });

  it("grants sending, and alarms while a message is in the dead-letter queue", () => {
    const template = withQueue({}, (queue) => {
      queue.grantSend(new Role(queue, "Sender", { assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com") }));
      queue.addDeadLetterAlarm({ bind: () => ({ alarmActionArn: "arn:aws:sns:eu-central-1:123456789012:oncall" }) });
      expect(queue.metricOldestMessage()).toMatchObject({ metricName: "ApproximateAgeOfOldestMessage" });
    });
    allows(template, ["sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"], arnOf("PaymentsQueue"));
    expect(only(template, "AWS::CloudWatch::Alarm")).toMatchObject({
      MetricName: "ApproximateNumberOfMessagesVisible",
      Threshold: 1,
      AlarmActions: ["arn:aws:sns:eu-central-1:123456789012:oncall"],
    });
  });

  it("refuses a visibility timeout below six timeouts of the consumer", () => {
    expect(refused({ visibilityTimeout: Duration.seconds(89) })).toThrow(
      /Test\/Payments: visibilityTimeout is 89 s; allowed is at least 90 s: six times the consumer's timeout of 15 s/,
    );
    expect(refused({ visibilityTimeout: Duration.seconds(90) })).not.toThrow();
    expect(refused({ visibilityTimeout: Duration.hours(13) })).toThrow("visibilityTimeout is 46800 s; allowed are");
  });

  it("refuses a consumer whose records expire before a message is gone for good", () => {
    expect(refused({}, {})).toThrow(
      /expiresAfter of the consumer is 86400 s, and a message can come again for 1209600 s \(deadLetterRetention\); allowed is more/,
    );
    const short = { retention: Duration.hours(1), deadLetterRetention: Duration.hours(12) };
    expect(refused(short, {})).not.toThrow();
  });

  // Seen by a reviewer: of a FIFO queue a message's age begins anew in the dead-letter queue.
  it("adds what both queues keep where they are FIFO", () => {
    const fifo = { fifo: true, retention: Duration.days(4), deadLetterRetention: Duration.days(14) };
    expect(refused(fifo)).toThrow(
      /expiresAfter of the consumer is 1296000 s, and a message can come again for 1555200 s \(retention and deadLetterRetention\)/,
    );
    expect(refused(fifo, { expiresAfter: Duration.days(18) })).toThrow("allowed is more than that");
    expect(refused(fifo, { expiresAfter: Duration.days(19) })).not.toThrow();
    expect(refused({ fifo: true })).not.toThrow();
    const long = { ...fifo, retention: Duration.days(12), deadLetterRetention: undefined as never };
    expect(refused(long, { expiresAfter: Duration.days(23) })).not.toThrow();
  });

  it("refuses a dead-letter queue that forgets before the queue does", () => {
    const retention = Duration.days(3);
    expect(refused({ retention, deadLetterRetention: Duration.days(2) })).toThrow(
      "deadLetterRetention is 172800 s under a retention of 259200 s; allowed is more than the retention",
    );
    expect(refused({ retention, deadLetterRetention: Duration.days(3) })).toThrow("allowed is more than the retention");
  });

  it.each<[string, Props, string]>([
    [
      "a retention under a minute",
      { retention: Duration.seconds(59) },
      "retention is 59 s; allowed are whole seconds from 60 s",
    ],
    ["a retention over 14 days", { retention: Duration.days(15) }, "retention is 1296000 s; allowed are"],
    ["dead letters over 14 days", { deadLetterRetention: Duration.days(15) }, "deadLetterRetention is 1296000 s"],
    ["no receive at all", { maxReceiveCount: 0 }, "maxReceiveCount is 0; allowed are the whole numbers from 1 to 1000"],
    ["a batch of none", { batchSize: 0 }, "batchSize is 0; allowed are the whole numbers from 1 to 10"],
    ["a big batch without a window", { batchSize: 11 }, "batchSize is 11; allowed are the whole numbers from 1 to 10"],
    ["a batch over 10000", { batchSize: 10_001, maxBatchingWindow: Duration.seconds(1) }, "batchSize is 10001"],
    ["a window over 300 s", { maxBatchingWindow: Duration.seconds(301) }, "maxBatchingWindow is 301 s; allowed are"],
    [
      "a window on FIFO",
      { fifo: true, maxBatchingWindow: Duration.seconds(1) },
      "maxBatchingWindow is 1 s on a FIFO queue",
    ],
    [
      "a concurrency of one",
      { maxConcurrency: 1 },
      "maxConcurrency is 1; allowed are the whole numbers from 2 to 1000",
    ],
  ])("refuses %s", (_, props, sentence) => {
    expect(refused(props)).toThrow(sentence);
  });
});
