import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { type Binding, currentClaim, idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { book, findBooked } from "./ledger.ts";

interface Order {
  readonly orderId: string;
  readonly amount: number;
}

async function placeOrder({ body }: APIGatewayProxyEvent, _context: Context): Promise<APIGatewayProxyResult> {
  const order = readJson(body);
  if (!isOrder(order))
    return answer(400, { code: "bad_order", message: "allowed is { orderId, amount }, amount in cents" });
  const { orderId, amount } = order;
  const { attempt } = currentClaim();

  // An earlier attempt may have booked the order before it died: look first.
  const booked = attempt > 1 ? await findBooked(orderId) : undefined;
  const { entryId } = booked ?? (await book({ reference: orderId, amount, attempt }));
  return answer(201, { orderId, entryId, status: "placed" }, { location: `/orders/${orderId}` });
}

/** How a REST API's event says which order it is and whose, and how the caller hears what came of it. */
const overHttp: Binding<[APIGatewayProxyEvent, Context], APIGatewayProxyResult> = {
  name: "order over HTTP",
  identify: ({ httpMethod, resource, headers, body, requestContext }) => ({
    key: Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === "idempotency-key")?.[1],
    principal: requestContext.authorizer?.["principalId"],
    fingerprint: [httpMethod, resource, readJson(body) ?? body],
  }),
  replay: (stored) => ({ ...stored, headers: { ...stored.headers, "idempotent-replayed": "true" } }),
  refuse: ({ code, message, statusCode, headers }) => answer(statusCode, { code, message }, headers),
};

/** `POST /orders` behind the REST API: a request that is sent again gets the first one's answer. */
export const handler = idempotent(placeOrder, {
  store: dynamoDBStore(),
  operation: "place-order",
  binding: overHttp,
});

function answer(
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyResult {
  return { statusCode, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

function isOrder(value: unknown): value is Order {
  const { orderId, amount } = (value ?? {}) as Partial<Order>;
  return typeof orderId === "string" && orderId !== "" && Number.isSafeInteger(amount) && Number(amount) > 0;
}

/** `undefined` for what is no JSON. */
function readJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
