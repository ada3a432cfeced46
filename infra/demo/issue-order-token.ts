import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import type { IdempotencyStore } from "lambda-once";
import { issueToken } from "lambda-once/guards";
import { answer, customerOf } from "./answer.ts";

/** How long an order may be placed with a token, in minutes. */
const LIFETIME = 15;

/** What the tokens are for, and what they are sealed with. */
interface For {
  readonly store: IdempotencyStore;
  readonly operation: string;
  readonly secret: string;
}

/** `POST /tokens`: good for one order of this customer. Asked for twice there are two, and an order takes one. */
export async function issueOrderToken(
  event: APIGatewayProxyEvent,
  { store, operation, secret }: For,
): Promise<APIGatewayProxyResult> {
  const expiresAt = new Date(Date.now() + LIFETIME * 60_000).toISOString();
  const principal = customerOf(event);
  const expiresAfter = { minutes: LIFETIME };
  const token = await issueToken({ store, operation, principal, expiresAfter, secrets: [secret] });
  return answer(201, { token, expiresAt }, { "cache-control": "no-store" });
}
