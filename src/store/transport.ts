import type { Item } from "./attributes.ts";

interface Conditional {
  readonly TableName: string;
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues: Item;
  readonly ReturnValuesOnConditionCheckFailure: "ALL_OLD";
}

/** The DynamoDB operations that a store uses: what goes in, what comes out, in DynamoDB's own JSON. */
export interface Operations {
  readonly PutItem: { readonly input: Conditional & { readonly Item: Item }; readonly output: object };
  readonly UpdateItem: {
    readonly input: Conditional & {
      readonly Key: Item;
      readonly UpdateExpression: string;
      readonly ReturnValues?: "ALL_NEW";
    };
    readonly output: { readonly Attributes?: Item };
  };
  readonly DeleteItem: { readonly input: Conditional & { readonly Key: Item }; readonly output: object };
  readonly GetItem: {
    readonly input: { readonly TableName: string; readonly Key: Item; readonly ConsistentRead: boolean };
    readonly output: { readonly Item?: Item };
  };
}

/** The name of an operation, as in `dynamodb:PutItem`. */
export type Operation = keyof Operations;

/**
 * Carries requests to DynamoDB, with its own retries and timeouts. It rejects with an error whose `name`
 * is DynamoDB's exception (`ConditionalCheckFailedException`, with `Item` where one stood there) or whose
 * `name` or `code` says what failed on the way (`TimeoutError`, `ECONNRESET`); `$metadata.httpStatusCode`
 * where there was a response.
 */
export interface Transport {
  send<O extends Operation>(operation: O, input: Operations[O]["input"]): Promise<Operations[O]["output"]>;
}
