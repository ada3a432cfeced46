/** The store in a DynamoDB table, over the AWS SDK v3, and commits of writes to tables of one's own. */

export type { ActionOutcome, Commit, LoneCommit, OutcomesOf, Writable, Write, WriteAction } from "./core/write.ts";
export { commit } from "./store/commit.ts";
export { type DynamoDBStoreOptions, dynamoDBStore } from "./store/dynamodb.ts";
