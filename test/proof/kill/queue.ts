import { setTimeout as pause } from "node:timers/promises";
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { LocalStack } from "../../../infra/local/stack.ts";

/**
 * Waits until the queue is empty. What was killed so often that it came to the dead-letter queue is sent once more, as an
 * operator does; how many these were.
 *
 * @throws Error where it is not empty in `patience` milliseconds
 */
export async function drain(stack: LocalStack, patience: number): Promise<number> {
  const { sqs } = stack.clients;
  const QueueUrl = stack.queueUrl("PaymentQueueUrl");
  const dead = stack.queueUrl("PaymentDeadLetterQueueUrl");
  const end = Date.now() + patience;
  let redriven = 0;
  for (let empty = 0; empty < 3; ) {
    if (Date.now() > end) throw new Error(`the queue is not empty after ${patience} ms`);
    await stack.faults.redeliver("PaymentQueue");
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead, MaxNumberOfMessages: 10 }));
    for (const { Body, ReceiptHandle } of Messages) {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: Body }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: dead, ReceiptHandle }));
      redriven += 1;
    }
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    const left =
      Number(Attributes?.ApproximateNumberOfMessages) + Number(Attributes?.ApproximateNumberOfMessagesNotVisible);
    empty = left === 0 && Messages.length === 0 ? empty + 1 : 0;
    await pause(250);
  }
  return redriven;
}
