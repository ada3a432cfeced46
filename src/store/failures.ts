import { IdempotencyStoreError, type StoreFailure } from "../core/errors.ts";
import type { Item } from "./attributes.ts";
import type { Operation } from "./transport.ts";

/** What is read of whatever a transport threw. */
interface Thrown {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  readonly ThrottlingReasons?: unknown;
}

const REASONS: Readonly<Record<StoreFailure, readonly string[]>> = {
  // As the SDK knows them.
  throttled: [
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
  ],
  unavailable: [
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "ENOTFOUND",
    "EAI_AGAIN",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "InternalServerError",
  ],
  timeout: ["TimeoutError", "RequestTimeout", "RequestTimeoutException", "ETIMEDOUT", "AbortError"],
  missing_table: ["ResourceNotFoundException"],
  access_denied: ["AccessDeniedException", "AccessDenied"],
  credentials: [
    "CredentialsProviderError",
    "TokenProviderError",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "ExpiredToken",
    "InvalidSignatureException",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
    "MissingAuthenticationToken",
    "InvalidClientTokenId",
  ],
  invalid_request: ["ValidationException", "SerializationException"],
};
const BY_NAME: ReadonlyMap<unknown, StoreFailure> = new Map(
  Object.entries(REASONS).flatMap(([reason, all]) => all.map((name) => [name, reason as StoreFailure] as const)),
);

/** What an exception of DynamoDB's, or a code of the network's, says by its name. */
export const reasonNamed = (name: unknown): StoreFailure | undefined => BY_NAME.get(name);

const COMMIT_ACTIONS = "dynamodb:UpdateItem, PutItem, DeleteItem or ConditionCheckItem";

/** DynamoDB's exception, or the name of what failed on the way to it. */
export const nameOf = (error: unknown): string => String((error as Thrown | null | undefined)?.name ?? "");

/** The condition did not hold; `Item` is what stood there, if anything did. */
export const isConditionFailure = (error: unknown): error is { readonly Item?: Item } =>
  nameOf(error) === "ConditionalCheckFailedException";

/** Another request, a transaction or one in another region, holds the item just now. */
export const isBusy = (error: unknown): boolean =>
  nameOf(error) === "TransactionConflictException" || nameOf(error) === "ReplicatedWriteConflictException";

/** The write was refused because the item would be above DynamoDB's limit. */
export const isItemTooLarge = (error: unknown): boolean =>
  nameOf(error) === "ValidationException" && /item size/i.test(messageOf(error));

/** The name of a table, of that or of its ARN. */
export const nameOfTable = (table: string): string => table.slice(table.lastIndexOf("/") + 1);

/**
 * The typed error of what a transport threw. AWS's own message holds ARNs with account ids: it stays in
 * `cause`, and never gets into the message.
 */
export function storeFailure(
  error: unknown,
  request: { readonly operation: Operation; readonly table: string },
): IdempotencyStoreError {
  const isCommit = request.operation === "TransactWriteItems";
  // A transaction has no permission of its own: it needs those of its actions.
  const action = isCommit ? COMMIT_ACTIONS : `dynamodb:${request.operation}`;
  const own = nameOfTable(request.table);
  const table = isCommit ? `${own} or one that the commit writes to` : own;
  const reason = reasonOf(error);
  return new IdempotencyStoreError({
    reason,
    detail: detailOf(reason, error, action, table),
    action,
    table: own,
    cause: error,
  });
}

/** The code of the network comes before the name: the SDK calls a reset connection a `TimeoutError`. */
function reasonOf(error: unknown): StoreFailure {
  const thrown = (error ?? {}) as Thrown;
  const status = thrown.$metadata?.httpStatusCode;
  if (isRegionMissing(error)) return "invalid_request";
  if (Array.isArray(thrown.ThrottlingReasons) && thrown.ThrottlingReasons.length > 0) return "throttled";
  return reasonNamed(thrown.code) ?? reasonNamed(thrown.name) ?? (status === 429 ? "throttled" : "unavailable");
}

function detailOf(reason: StoreFailure, error: unknown, action: string, table: string): string {
  switch (reason) {
    case "throttled":
      return `${action} on table ${table} was throttled`;
    case "timeout":
      return `${action} on table ${table} got no answer in time`;
    case "unavailable":
      return `${action} on table ${table} failed (${nameOf(error) || "unknown error"})`;
    case "missing_table":
      return `table ${table} does not exist in the client's region and account`;
    case "access_denied":
      return deniedDetail(error, action, table);
    case "credentials":
      return `the AWS credentials for ${action} on table ${table} are missing, expired or not accepted`;
    case "invalid_request":
      return invalidDetail(error, action, table);
  }
}

/** AWS says which action on which table; the rest of its sentence, with account and role, stays in the cause. */
function deniedDetail(error: unknown, action: string, table: string): string {
  const [, lacked = action, on = table] =
    /perform: (dynamodb:\w+) on resource: arn:[^\s]*:table\/([\w.-]+)/.exec(messageOf(error)) ?? [];
  return `no permission for ${lacked} on table ${on}: grant it to the function's role`;
}

const WRONG_KEY =
  /missing the key|required keys|key element does not match|type mismatch for key|number of conditions on the keys/i;

function invalidDetail(error: unknown, action: string, table: string): string {
  if (isRegionMissing(error)) return "there is no AWS region: give region, or set the environment variable AWS_REGION";
  if (WRONG_KEY.test(messageOf(error))) {
    return `${action} does not fit table ${table}: the table's partition key must be a string named id, and it must have no sort key`;
  }
  return `${action} on table ${table} was refused as invalid; the cause says why`;
}

const isRegionMissing = (error: unknown): boolean => messageOf(error) === "Region is missing";
const messageOf = (error: unknown): string => String((error as Thrown | null | undefined)?.message ?? "");
