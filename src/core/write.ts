/** An item in native JavaScript values, as `DynamoDBDocumentClient` takes and gives it. */
// biome-ignore lint/suspicious/noExplicitAny: the items of `@aws-sdk/lib-dynamodb` are typed so, and must fit
export type NativeItem = Record<string, any>;

interface Expressions {
  readonly TableName: string | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: NativeItem | undefined;
}

/**
 * One action of a DynamoDB transaction, in native values: exactly one of the four. What
 * `TransactWriteCommand` of `@aws-sdk/lib-dynamodb` takes as one of its `TransactItems` fits.
 */
export interface WriteAction {
  readonly Put?: (Expressions & { readonly Item: NativeItem | undefined }) | undefined;
  readonly Update?:
    | (Expressions & { readonly Key: NativeItem | undefined; readonly UpdateExpression: string | undefined })
    | undefined;
  readonly Delete?: (Expressions & { readonly Key: NativeItem | undefined }) | undefined;
  readonly ConditionCheck?:
    | (Expressions & { readonly Key: NativeItem | undefined; readonly ConditionExpression: string | undefined })
    | undefined;
}

/** What became of the one item of a part. */
export type PartFacts =
  /**
   * Written (or, for a check, held). Where the request could tell: `old` is the item before, `undefined` for none; or,
   * where the write was found to have been carried out by an earlier request, `written` is the item after. A
   * transaction tells neither.
   */
  | { readonly status: "committed"; readonly old?: NativeItem | undefined; readonly written?: NativeItem | undefined }
  /** Its condition failed (or `reason` says what else), on the item that was found. Nothing of the whole commit was written. */
  | { readonly status: "refused"; readonly reason: string; readonly found: NativeItem | undefined }
  /** Not written, since another part of the same commit was refused. */
  | { readonly status: "cancelled" };

/** What a write does to one item. */
export interface WritePart {
  readonly table: string;
  /** The whole primary key, so that two parts that meet on one item are seen. */
  readonly key: NativeItem;
  /** The id that this write leaves in the item: found there, the write was mine and its response was lost. */
  readonly writeId?: string | undefined;
  /** Its condition may hold once more after another write has followed it: only a transaction's token keeps a repetition out. */
  readonly mayRepeat?: boolean | undefined;
  /** The request for this item; called once for each commit. */
  action(): WriteAction;
  /**
   * The part that does both where two writes of a commit meet on this item.
   *
   * @throws IdempotencyConfigError where that is not possible
   */
  merge?(other: WritePart): WritePart;
}

/** Carries a type; there at compile time alone. */
declare const alone: unique symbol;

/**
 * A write of `lambda-once/writes`: parts that commit together, and what they mean. Made for one commit. `Alone` is the
 * outcome where it is the only write of a commit, without a record: no other write can cancel it then.
 */
export interface Write<Outcome = unknown, Alone = Exclude<Outcome, { readonly outcome: "cancelled" }>> {
  readonly parts: readonly WritePart[];
  /** The write's outcome from what became of its parts, in their order. */
  outcome(facts: readonly PartFacts[]): Outcome;
  readonly [alone]?: Alone;
}

/** The outcome of a plain action: written, refused by its own condition, or not written because another one's failed. */
export type ActionOutcome =
  | { readonly outcome: "written" }
  | { readonly outcome: "refused"; readonly item: NativeItem | undefined }
  | { readonly outcome: "cancelled" };

/** What can be committed: a plain action or a write of `lambda-once/writes`. */
export type Writable = WriteAction | Write<unknown, unknown>;

/** The outcome of each of a commit's writes, in their order. */
export type OutcomesOf<Writes extends readonly Writable[]> = {
  readonly [I in keyof Writes]: Writes[I] extends Write<infer Outcome, unknown> ? Outcome : ActionOutcome;
};

/** What a commit came to. Where it did not commit, nothing of it was written. */
export interface Commit<Writes extends readonly Writable[]> {
  readonly committed: boolean;
  readonly outcomes: OutcomesOf<Writes>;
}

/** What a commit without a record came to. */
export interface LoneCommit<Writes extends readonly Writable[]> {
  readonly committed: boolean;
  readonly outcomes: Writes extends readonly [Writable] ? readonly [LoneOutcomeOf<Writes[0]>] : OutcomesOf<Writes>;
}

type LoneOutcomeOf<W> =
  W extends Write<unknown, infer Alone> ? Alone : Exclude<ActionOutcome, { readonly outcome: "cancelled" }>;
