/** The store in a DynamoDB table, over the AWS SDK v3. */

export { type DynamoDBStoreOptions, dynamoDBStore } from "./store/dynamodb.ts";
