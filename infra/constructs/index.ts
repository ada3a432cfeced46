/** CDK constructs around idempotent functions: their table, their API, their queue. */

export { type IdempotencyAlarmProps, IdempotencyTable, type IdempotencyTableProps } from "./idempotency-table.ts";
export { IdempotentApi, type IdempotentApiProps, type RouteOptions } from "./idempotent-api.ts";
export { IdempotentFunction, type IdempotentFunctionProps } from "./idempotent-function.ts";
export { IdempotentQueue, type IdempotentQueueProps } from "./idempotent-queue.ts";
export { NodeFunction, type NodeFunctionProps } from "./node-function.ts";
