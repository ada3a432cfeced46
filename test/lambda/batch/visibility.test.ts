import type { SQS } from "@aws-sdk/client-sqs";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { type SqsClient, visibilityBy } from "../../../src/batch.ts";
import { secondsUntil } from "../../../src/lambda/batch/visibility.ts";
import { message } from "./kit.ts";

function client(QueueUrl: string | undefined = "https://sqs.example/payments") {
  return {
    getQueueUrl: vi.fn<SqsClient["getQueueUrl"]>(async () => ({ QueueUrl })),
    changeMessageVisibility: vi.fn<SqsClient["changeMessageVisibility"]>(async () => ({})),
  };
}

describe("visibilityBy", () => {
  it("takes the SDK's client", () => expectTypeOf<SQS>().toExtend<SqsClient>());

  it("changes the visibility by the message's own receipt, and asks for a queue's URL once", async () => {
    const sqs = client();
    const change = visibilityBy(sqs);
    await change(message("m-1"), 30);
    await change(message("m-2"), 40);
    expect(sqs.getQueueUrl.mock.calls).toStrictEqual([
      [{ QueueName: "payments", QueueOwnerAWSAccountId: "123456789012" }],
    ]);
    expect(sqs.changeMessageVisibility.mock.calls).toStrictEqual([
      [{ QueueUrl: "https://sqs.example/payments", ReceiptHandle: "receipt-m-1", VisibilityTimeout: 30 }],
      [{ QueueUrl: "https://sqs.example/payments", ReceiptHandle: "receipt-m-2", VisibilityTimeout: 40 }],
    ]);
    await change(message("m-3", { group: "a" }), 40);
    expect(sqs.getQueueUrl).toHaveBeenLastCalledWith(expect.objectContaining({ QueueName: "payments.fifo" }));
  });

  it("fails where SQS gives no URL, and asks again", async () => {
    const sqs = client();
    sqs.getQueueUrl.mockResolvedValueOnce({});
    const change = visibilityBy(sqs);
    await expect(change(message("m-1"), 30)).rejects.toThrow("no URL for the queue payments");
    await change(message("m-1"), 30);
    expect(sqs.changeMessageVisibility).toHaveBeenCalledTimes(1);
  });
});

describe("the seconds for which a message is hidden", () => {
  it.each([
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [0, 1],
    [10 ** 12, 43_200],
  ])("%d ms are %d s", (millis, seconds) => expect(secondsUntil(millis)).toBe(seconds));
});
