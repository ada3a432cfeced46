import type { Item } from "./attributes.ts";

interface Conditional {
  readonly TableName: string;
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues: Item;
  readonly ReturnValuesOnConditionCheckFailure: "ALL_OLD";
}

/** One action of a transaction: the condition's item comes back where it fails. */
interface TransactAction {
  readonly TableName: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly ReturnValuesOnConditionCheckFailure: "ALL_OLD";
}

/** One of the four actions of a transaction, in DynamoDB's own JSON. */
export type TransactItem =
  | { readonly Put: TransactAction & { readonly Item: Item } }
  | { readonly Update: TransactAction & { readonly Key: Item; readonly UpdateExpression: string } }
  | { readonly Delete: TransactAction & { readonly Key: Item } }
  | { readonly ConditionCheck: TransactAction & { readonly Key: Item; readonly ConditionExpression: string } };

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
  readonly TransactWriteItems: {
    readonly input: { readonly TransactItems: readonly TransactItem[]; readonly ClientRequestToken: string };
    readonly output: object;
  };
}

/** The name of an operation, as in `dynamodb:PutItem`. */
export type Operation = keyof Operations;

/**
 * Carries requests to DynamoDB, with its own retries and timeouts. It rejects with an error whose `name`
 * is DynamoDB's exception (`ConditionalCheckFailedException`, with `Item` where one stood there;
 * `TransactionCanceledException`, with `CancellationReasons`) or whose
 * `name` or `code` says what failed on the way (`TimeoutError`, `ECONNRESET`); `$metadata.httpStatusCode`
 * where there was a response.
 */
export interface Transport {
  send<O extends Operation>(
    operation: O,
    input: Operations[O]["input"],
    /** `final`: it writes an answer, as a transaction does. Of what it rejects with, `$metadata.attempts` is then above 1 only where a try may still arrive. */
    about?: { readonly final: boolean },
  ): Promise<Operations[O]["output"]>;
  /** The Region that tables without an ARN are in, where it is known. */
  region?(): Promise<string | undefined>;
}
