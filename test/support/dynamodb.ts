import { afterAll, inject } from "vitest";
import { dynamoDBAt, type LocalDynamoDB, startDynamoDBLocal } from "../../infra/local/dynamodb-local.ts";

/** The run's DynamoDB Local; one of this test file's own where the run has none. To be awaited at a file's top. */
export async function localDynamoDB(): Promise<LocalDynamoDB> {
  const endpoint: string | undefined = inject("dynamodbEndpoint");
  if (endpoint !== undefined) return dynamoDBAt(endpoint);
  const started = await startDynamoDBLocal();
  afterAll(() => started.stop());
  return started;
}
