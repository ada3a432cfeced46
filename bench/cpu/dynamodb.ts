import { Readable } from "node:stream";
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import type { Scenario } from "./scenario.ts";

type RequestHandler = DynamoDBClient["config"]["requestHandler"];

/**
 * A real client whose requests are answered in memory as DynamoDB would: it writes whatever it is told, and
 * on a replay holds `item` under every id. All of the SDK is paid, and nothing of the network.
 */
export function answeringClient(
  { path }: Scenario,
  item: (id: string) => string,
  settings: object = {},
): DynamoDBClient {
  const replays = path === "replaySeen" || path === "replayNew";
  const answer = (target: string, sent: string | Uint8Array): [status: number, text: string] => {
    if (!replays) return [200, "{}"];
    // By its buffer: the SDK warns of a body that is read as a string.
    const body =
      typeof sent === "string" ? sent : Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength).toString("latin1");
    const id = /"id":\{"S":"([^"]+)"\}/.exec(body)?.[1] ?? "";
    if (target.endsWith(".GetItem")) return [200, `{"Item":${item(id)}}`];
    const type = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    return [400, `{"__type":"${type}","message":"The conditional request failed","Item":${item(id)}}`];
  };
  const handle = async (request: { headers: Record<string, string>; body?: string | Uint8Array }) => {
    const [statusCode, text] = answer(String(request.headers["x-amz-target"]), request.body ?? "");
    const bytes = Buffer.from(text);
    const body = new Readable({ read() {} });
    body.push(bytes);
    body.push(null);
    const headers = {
      "content-type": "application/x-amz-json-1.0",
      "content-length": String(bytes.length),
      "x-amzn-requestid": "B4ASK6LTBC3UAHT8CCQPSFU7LFVV4KQNSO5AEMVJF66Q9ASUAAJG",
    };
    return { response: { statusCode, headers, body } };
  };
  const requestHandler = { metadata: { handlerProtocol: "http/1.1" }, handle } as unknown as RequestHandler;
  const config: DynamoDBClientConfig = {
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    requestHandler,
    ...settings,
  };
  return new DynamoDBClient(config);
}
