import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { authorizerPrincipal, http } from "lambda-once/http";
import { answer } from "./answer.ts";
import { cancelOrder } from "./cancel-order.ts";
import { changeOrder } from "./change-order.ts";
import { payOrder } from "./pay-order.ts";
import { placeOrder } from "./place-order.ts";

const store = dynamoDBStore();
const principal = authorizerPrincipal();

/** The routes of the REST API. A request that is sent again gets the first one's answer. */
const routes: Readonly<
  Record<string, (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>>
> = {
  "POST /orders": idempotent(placeOrder, { store, operation: "place-order", binding: http({ principal }) }),
  "PUT /orders/{id}": idempotent(changeOrder, {
    store,
    operation: "change-order",
    binding: http({ principal, ifMatch: "required" }),
  }),
  // An order is paid once, whatever the keys of those who ask: the order is the key. Who asks meanwhile waits.
  "POST /orders/{id}/pay": idempotent(payOrder, {
    store,
    operation: "pay-order",
    binding: http({ principal, key: "pathParameters.id" }),
    whenInProgress: "wait",
  }),
  "POST /orders/{id}/cancel": idempotent(cancelOrder, {
    store,
    operation: "cancel-order",
    binding: http({ principal }),
  }),
};

export async function handler(event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> {
  const route = routes[`${event.httpMethod} ${event.resource}`];
  return route === undefined ? answer(404, { message: "there is no such route" }) : route(event, context);
}
