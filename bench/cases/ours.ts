import type { MiddlewareObj } from "@middy/core";
import { type IdempotencyEvent, idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { http } from "lambda-once/http";
import { idempotency } from "lambda-once/middy";
import type { TestContext } from "lambda-once/testing";
import { type Handler, type Place, type Protection, RETENTION_HOURS, type Side } from "./side.ts";

type Options = Parameters<typeof idempotency<unknown, unknown>>[0];

/** lambda-once, over its DynamoDB store with the client that it is given. */
export function ours({ client, table }: Place): Side {
  const store = dynamoDBStore({ client, tableName: table });
  const events: IdempotencyEvent[] = [];
  const options = ({ operation = "case", overHttp, key, ...rest }: Protection): Options => ({
    store,
    operation,
    expiresAfter: { hours: RETENTION_HOURS },
    observe: (event) => events.push(event),
    ...(overHttp === undefined ? key !== undefined && { key } : { binding: http({ principal: false }) }),
    ...rest,
  });
  return {
    wrap: (handler, protection) => idempotent<[unknown, TestContext], unknown>(handler, options(protection)) as Handler,
    middleware: (protection) => idempotency(options(protection)) as unknown as MiddlewareObj,
    sawReleaseFail: () => events.some(({ type }) => type === "release_failed"),
    record: { lock: "lockedUntil", status: "status", running: "IN_PROGRESS", result: "result" },
  };
}
