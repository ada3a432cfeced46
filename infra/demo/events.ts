import type {
  ALBEvent,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2WithJWTAuthorizer,
  DynamoDBStreamEvent,
  EventBridgeEvent,
  KinesisStreamEvent,
  LambdaFunctionURLEventWithIAMAuthorizer,
  SQSEvent,
} from "aws-lambda";
import alb from "../../events/alb.json" with { type: "json" };
import http from "../../events/api-gateway-http.json" with { type: "json" };
import rest from "../../events/api-gateway-rest.json" with { type: "json" };
import dynamodbStream from "../../events/dynamodb-stream.json" with { type: "json" };
import eventbridge from "../../events/eventbridge.json" with { type: "json" };
import functionUrl from "../../events/function-url.json" with { type: "json" };
import kinesis from "../../events/kinesis.json" with { type: "json" };
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
  readonly alb: ALBEvent;
  readonly sqs: SQSEvent;
  readonly "sqs-fifo": SQSEvent;
  readonly "dynamodb-stream": DynamoDBStreamEvent;
  readonly kinesis: KinesisStreamEvent;
  readonly eventbridge: EventBridgeEvent<string, OrderPlaced>;
}

/** The compiler compares each file with its type here. */
const events: Events = {
  "api-gateway-http": http,
  "api-gateway-rest": rest,
  "function-url": functionUrl,
  alb,
  sqs,
  "sqs-fifo": fifo,
  "dynamodb-stream": dynamodbStream as DynamoDBStreamEvent, // Its literals are wider as JSON.
  kinesis,
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
