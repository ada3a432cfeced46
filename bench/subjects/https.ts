import type { RequestOptions } from "node:http";
import { tableOf } from "./scenario.ts";
import type { Subject } from "./serve.ts";

/** Sends one request, and gives the text of its answer. */
export type Send = (operation: string, body: string) => Promise<string>;
/** The headers of a request, name by name with its value. */
export type Headers = (operation: string, body: string) => readonly string[];

/** As long as a signature and a session token are, and as meaningless to the server that is asked. */
const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261128/eu-central-1/dynamodb/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=${"0".repeat(64)}`;
const TOKEN = "t".repeat(900);

export const endpoint = (): URL => new URL(process.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "");

/** The headers of a request to DynamoDB without a signature. */
export const unsigned =
  (host: string): Headers =>
  (operation, body) => [
    ...["Host", host, "Content-Type", "application/x-amz-json-1.0", "Content-Length", String(Buffer.byteLength(body))],
    ...["X-Amz-Date", "20261128T000000Z", "X-Amz-Target", `DynamoDB_20120810.${operation}`],
    ...["X-Amz-Security-Token", TOKEN, "Authorization", AUTHORIZATION],
  ];

/** Requests over `node:https` and nothing else: no library, no signature, no retries, no time limit. */
export function bareHttps(headers: Headers = unsigned(endpoint().host)): Send {
  const { Agent, request: send } = process.getBuiltinModule("node:https");
  const { hostname, port } = endpoint();
  const base: RequestOptions = { hostname, port, path: "/", method: "POST", agent: new Agent({ keepAlive: true }) };
  return (operation, body) =>
    new Promise((resolve, reject) => {
      const request = send({ ...base, setHost: false, headers: headers(operation, body) }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks).toString()));
      });
      request.on("error", reject);
      request.end(body);
    });
}

/** About as many bytes as lambda-once sends on its first and on its second request. */
export const putOf = (TableName: string, id: string): string =>
  JSON.stringify({ TableName, Item: { id: { S: id } }, rest: "x".repeat(640) });
export const updateOf = (TableName: string, id: string): string =>
  JSON.stringify({ TableName, Key: { id: { S: id } }, rest: "x".repeat(700) });

/** As many requests as a first execution or a replay makes, by nothing else. */
export const requestsBy =
  (makeSend: () => Send): Subject =>
  (scenario) => {
    const send = makeSend();
    const table = tableOf("ours", scenario);
    let sent = 0;
    return async () => {
      const id = `place-order#${++sent}`;
      const answer = await send("PutItem", putOf(table, id));
      return scenario.path === "first" ? send("UpdateItem", updateOf(table, id)) : answer;
    };
  };
