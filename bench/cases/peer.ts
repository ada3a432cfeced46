import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { makeHandlerIdempotent } from "@aws-lambda-powertools/idempotency/middleware";
import type { MiddlewareObj } from "@middy/core";
import { type Place, type Protection, RETENTION_HOURS, type Side } from "./side.ts";

/**
 * Powertools' idempotency, over its DynamoDB persistence layer with the client that it is given. It has
 * no word for a principal, and none for what becomes of an abandoned execution.
 */
export function peer({ client, table, warnings }: Place): Side {
  const persistenceStore = new DynamoDBPersistenceLayer({ tableName: table, awsSdkV3Client: client });
  const options = ({ operation = "case", key, fingerprint }: Protection) => ({
    persistenceStore,
    keyPrefix: operation,
    config: new IdempotencyConfig({
      expiresAfterSeconds: RETENTION_HOURS * 3_600,
      throwOnNoIdempotencyKey: true,
      ...(key !== undefined && { eventKeyJmesPath: key }),
      ...(fingerprint !== undefined && { payloadValidationJmesPath: fingerprint }),
    }),
  });
  return {
    wrap: (handler, protection) => makeIdempotent(handler, options(protection)),
    middleware: (protection) => makeHandlerIdempotent(options(protection)) as unknown as MiddlewareObj,
    sawReleaseFail: () => warnings.some((line) => /delete/i.test(line)),
    record: { lock: "in_progress_expiration", status: "status", running: "INPROGRESS", result: "data" },
  };
}
