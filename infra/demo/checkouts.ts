import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { token } from "lambda-once/guards";
import { authorizerPrincipal, http } from "lambda-once/http";
import { answer } from "./answer.ts";
import { issueOrderToken } from "./issue-order-token.ts";
import { placeOrder } from "./place-order.ts";
import { readSecret } from "./secrets.ts";

type Routes = Readonly<
  Record<string, (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>>
>;

const store = dynamoDBStore();
const operation = "checkout";

/**
 * An order as `POST /orders` places it, for clients that cannot be trusted to make up a key of their own: they ask for a
 * token, and send it as the key. What was not issued here, to this customer, places no order.
 */
async function makeRoutes(): Promise<Routes> {
  const secret = await readSecret("ORDER_TOKEN_SECRET_ARN");
  const checkout = idempotent(placeOrder, {
    store,
    operation,
    binding: http({ principal: authorizerPrincipal(), key: token({ secrets: [secret] }) }),
  });
  return {
    "POST /tokens": (event) => issueOrderToken(event, { store, operation, secret }),
    "POST /checkouts": checkout,
  };
}

let made: Promise<Routes> | undefined;

/** The secret is read during the first invocation: AWS's extension does not answer before. */
export async function handler(event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> {
  made ??= makeRoutes();
  const routes = await made.catch(forget);
  const route = routes[`${event.httpMethod} ${event.resource}`];
  return route === undefined ? answer(404, { message: "there is no such route" }) : route(event, context);
}

/** What could not be read is read again by the next invocation. */
function forget(error: unknown): never {
  made = undefined;
  throw error;
}
