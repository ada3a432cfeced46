import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { currentClaim, idempotent } from "lambda-once";
import { dynamoDBStore } from "lambda-once/dynamodb";
import { http } from "lambda-once/http";
import { signature } from "lambda-once/webhooks";
import { transition } from "lambda-once/writes";
import { answer, readJson } from "./answer.ts";
import { machine, orders } from "./order.ts";
import { readSecret } from "./secrets.ts";

/** What the payment provider tells. */
interface Settled {
  readonly type: "payment.settled";
  readonly orderId: string;
}

const store = dynamoDBStore();

/** `POST /webhooks/payment`: the provider has the money, and the order moves on. */
async function settled({ body }: APIGatewayProxyEvent, _context: Context): Promise<APIGatewayProxyResult> {
  const told = readJson(body) as Partial<Settled> | undefined;
  if (told?.type !== "payment.settled" || typeof told.orderId !== "string") return answer(202, { status: "ignored" });
  const move = transition({ table: orders, key: { id: told.orderId }, from: "charged", to: "paid", machine });
  const result = answer(200, { orderId: told.orderId, status: "paid" });
  const { outcomes } = await currentClaim().commit([move], { result });
  const [moved] = outcomes;
  if (moved.outcome !== "illegal") return result;
  return answer(409, { message: `an order that is ${moved.state ?? "not there"} cannot be paid` });
}

/** Verified before anything else, on the bytes as they came; the delivery's id is the key. */
const verified = async () =>
  idempotent(settled, {
    store,
    operation: "payment-webhook",
    binding: http({ principal: false, key: signature({ secrets: [await readSecret("WEBHOOK_SECRET_ARN")] }) }),
  });

let made: ReturnType<typeof verified> | undefined;

/** The secret is read during the first invocation: AWS's extension does not answer before. */
export async function handler(event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> {
  made ??= verified();
  return (await made.catch(forget))(event, context);
}

/** What could not be read is read again by the next invocation. */
function forget(error: unknown): never {
  made = undefined;
  throw error;
}
