import type { TestProject } from "vitest/node";
import { startDynamoDBLocal } from "../../infra/local/dynamodb-local.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the one DynamoDB Local of the whole run listens. */
    dynamodbEndpoint: string;
  }
}

/** A vitest globalSetup: one DynamoDB Local for the run, at `inject("dynamodbEndpoint")`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const local = await startDynamoDBLocal();
  project.provide("dynamodbEndpoint", local.endpoint);
  return () => local.stop();
}
