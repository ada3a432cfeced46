import { Readable } from "node:stream";
import type { DynamoDBClient, DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import type { LocalDynamoDB } from "../../infra/local/dynamodb-local.ts";

type Handler = DynamoDBClient["config"]["requestHandler"];
type Sent = ReturnType<Handler["handle"]>;

/** What happens to one HTTP request; `send` lets it reach DynamoDB Local. */
export type Fault = (send: () => Sent) => Sent;

/** The request goes through. */
export const none: Fault = (send) => send();

/** The request never leaves: the network fails with `code`. */
export const networkError =
  (code: string): Fault =>
  async () => {
    throw Object.assign(new Error(`${code} (injected)`), { code });
  };

/** DynamoDB does what it was asked for, and its answer is lost. */
export const lostResponse: Fault = async (send) => {
  await send();
  throw Object.assign(new Error("socket hang up (injected)"), { name: "TimeoutError", code: "ECONNRESET" });
};

/** DynamoDB refuses with the exception `type`, without doing anything. */
export const refused =
  (type: string, message = "injected", status = 400): Fault =>
  async () => {
    const body = Buffer.from(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }));
    const headers = { "content-type": "application/x-amz-json-1.0", "content-length": String(body.length) };
    return { response: { statusCode: status, headers, body: Readable.from([body]) } } as unknown as Awaited<Sent>;
  };

/**
 * A client whose requests meet `faults` one after the other, below the SDK's three attempts, and
 * then go through. `sent` names the operation of every HTTP request.
 */
export function faultyClient(
  local: LocalDynamoDB,
  faults: readonly Fault[],
  options: DynamoDBClientConfig = {},
): { readonly client: DynamoDBClient; readonly sent: readonly string[] } {
  const inner: Handler = local.client().config.requestHandler;
  const left = [...faults];
  const sent: string[] = [];
  const handle: Handler["handle"] = (request, handlerOptions) => {
    sent.push(String(request.headers["x-amz-target"]).replace(/^.*\./, ""));
    return (left.shift() ?? none)(() => inner.handle(request, handlerOptions));
  };
  const requestHandler = { metadata: { handlerProtocol: "http/1.1" }, handle };
  return { client: local.client({ requestHandler, maxAttempts: 3, ...options }), sent };
}
