/** The store in a DynamoDB table, without the AWS SDK. */

export { lightClient } from "./store/light/client.ts";
export type { LightClient } from "./store/light/connect.ts";
export { dynamoDBStore, type LightStore, type LightStoreOptions } from "./store/light/dynamodb.ts";
export type { LightClientOptions } from "./store/light/options.ts";
export type { LightCredentialProvider, LightCredentials } from "./store/light/provider.ts";
