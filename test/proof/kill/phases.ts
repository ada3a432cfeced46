import type { Invocation } from "../../../infra/local/functions.ts";
import type { LocalStack } from "../../../infra/local/stack.ts";

/** How far an invocation had come, by the last of its requests to DynamoDB that was carried out. */
export const PHASES = [
  "before its claim",
  "with its claim refused: a duplicate",
  "between claim and step",
  "between step and commit",
  "between claim and commit",
  "after its commit",
] as const;

export type Phase = (typeof PHASES)[number];

/** How far an invocation had come when it ended. */
export function phaseOf(stack: LocalStack, { requestId, function: name }: Invocation): Phase {
  const own = stack.dynamodbCalls.filter((call) => call.requestId === requestId);
  const has = (operation: string, expression = ""): boolean =>
    own.some(
      (call) =>
        call.operation === operation &&
        call.status === 200 &&
        String(call.input["UpdateExpression"] ?? "").startsWith(expression),
    );
  if (has("TransactWriteItems")) return "after its commit";
  if (has("UpdateItem", "SET #steps")) return "between step and commit";
  if (!has("PutItem") && !has("UpdateItem")) {
    return own.some(({ operation }) => operation === "PutItem")
      ? "with its claim refused: a duplicate"
      : "before its claim";
  }
  const isPayment = own.some(({ operation }) => operation === "GetItem") && name.startsWith("Orders");
  return isPayment ? "between claim and step" : "between claim and commit";
}
