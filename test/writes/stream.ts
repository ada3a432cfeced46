import { randomUUID } from "node:crypto";
import { CreateTableCommand, DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import type { OutboxStreamEvent } from "lambda-once/writes";
import type { LocalDynamoDB } from "../../infra/local/dynamodb-local.ts";

/** A table whose stream tells new images, and what the stream has told so far, as a Lambda gets it. */
export async function streamingTable(
  local: LocalDynamoDB,
): Promise<{ readonly name: string; told(): Promise<OutboxStreamEvent> }> {
  const name = `outbox-${randomUUID()}`;
  const client = local.client();
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
    }),
  );
  const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
  const StreamArn = Table?.LatestStreamArn;
  return {
    name,
    async told() {
      const { StreamDescription } = await call(local, "DescribeStream", { StreamArn });
      const records = await Promise.all(
        StreamDescription.Shards.map(async ({ ShardId }: { ShardId: string }) => {
          const from = { StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" };
          const { ShardIterator } = await call(local, "GetShardIterator", from);
          return (await call(local, "GetRecords", { ShardIterator })).Records;
        }),
      );
      return { Records: records.flat() };
    },
  };
}

/** DynamoDB Streams' own protocol: the SDK has it in a package of its own. DynamoDB Local looks for a key's name alone. */
async function call(local: LocalDynamoDB, operation: string, input: object) {
  const response = await fetch(local.endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDBStreams_20120810.${operation}`,
      authorization:
        "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify(input),
  });
  if (!response.ok) throw new Error(`${operation}: ${response.status} ${await response.text()}`);
  return JSON.parse(await response.text());
}
