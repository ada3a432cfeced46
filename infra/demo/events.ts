import { randomUUID } from "node:crypto";
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2WithJWTAuthorizer,
  EventBridgeEvent,
  LambdaFunctionURLEventWithIAMAuthorizer,
  SQSEvent,
} from "aws-lambda";
import http from "../../events/api-gateway-http.json" with { type: "json" };
import rest from "../../events/api-gateway-rest.json" with { type: "json" };
import eventbridge from "../../events/eventbridge.json" with { type: "json" };
import functionUrl from "../../events/function-url.json" with { type: "json" };
import sqs from "../../events/sqs.json" with { type: "json" };
import fifo from "../../events/sqs-fifo.json" with { type: "json" };

/** The detail of the event `OrderPlaced`. */
export interface OrderPlaced {
  readonly orderId: string;
  readonly customer: string;
  readonly currency: string;
  readonly amount: number;
}

/** The files of `events/` by name, with the type that AWS's own declarations give them. */
export interface Events {
  readonly "api-gateway-http": APIGatewayProxyEventV2WithJWTAuthorizer;
  readonly "api-gateway-rest": APIGatewayProxyEvent;
  readonly "function-url": LambdaFunctionURLEventWithIAMAuthorizer;
  readonly sqs: SQSEvent;
  readonly "sqs-fifo": SQSEvent;
  readonly eventbridge: EventBridgeEvent<string, OrderPlaced>;
}

/** The compiler compares each file with its type here. */
const events: Events = {
  "api-gateway-http": http,
  "api-gateway-rest": rest,
  "function-url": functionUrl,
  sqs,
  "sqs-fifo": fifo,
  eventbridge,
};

/**
 * One event of `events/`, as a copy of the caller's own.
 *
 * @example
 * const order = readEvent("api-gateway-http");
 */
export function readEvent<Kind extends keyof Events>(kind: Kind): Events[Kind] {
  return structuredClone(events[kind]);
}

/**
 * The event of `POST /orders` as API Gateway sends it when a client sends the request (again): the body
 * and the `Idempotency-Key` are the client's, request id, trace and time are new with every request.
 *
 * @example
 * const first = orderRequest("key-1", { orderId: "ord-1" });
 * const retry = orderRequest("key-1", { orderId: "ord-1" });
 */
export function orderRequest(key: string, change: Readonly<Record<string, unknown>>): Events["api-gateway-http"] {
  const event = readEvent("api-gateway-http");
  event.body = JSON.stringify({ ...JSON.parse(event.body ?? "{}"), ...change });
  event.headers["idempotency-key"] = key;
  event.headers["content-length"] = String(Buffer.byteLength(event.body));
  event.headers["x-amzn-trace-id"] =
    `Root=1-${randomUUID().slice(0, 8)}-${randomUUID().replaceAll("-", "").slice(0, 24)}`;
  event.requestContext.requestId = randomUUID();
  event.requestContext.timeEpoch = Date.now();
  return event;
}
