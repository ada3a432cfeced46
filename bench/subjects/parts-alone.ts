import { createHash } from "node:crypto";
import { compile, type JSONValue, TreeInterpreter } from "@jmespath-community/jmespath";
import aws4 from "aws4";
import { bareHttps, endpoint, putOf, updateOf } from "./https.ts";

/**
 * What the light client is made of, with nothing around it: a key that JMESPath selects, its hash, and as many requests
 * as a first execution or a replay makes, signed by `aws4`, over `node:https`.
 */
export function partsAlone(table: string, isFirst: boolean): (event: unknown) => Promise<unknown> {
  const { host } = endpoint();
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_SESSION_TOKEN = "" } = process.env;
  const credentials = {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN,
  };
  const expression = compile("orderId");
  const send = bareHttps((operation, body) => {
    const headers = {
      Host: host,
      "Content-Type": "application/x-amz-json-1.0",
      "X-Amz-Target": `DynamoDB_20120810.${operation}`,
    };
    const request = { service: "dynamodb", region: "eu-central-1", method: "POST", host, path: "/", headers, body };
    return Object.entries(aws4.sign(request, credentials).headers ?? {}).flatMap(([name, value]) => [
      name,
      String(value),
    ]);
  });
  return async (event) => {
    const key = String(TreeInterpreter.search(expression, event as JSONValue));
    const id = `place-order#${createHash("sha256").update(key).digest("base64url")}`;
    const answer = JSON.parse(await send("PutItem", putOf(table, id))) as unknown;
    return isFirst ? JSON.parse(await send("UpdateItem", updateOf(table, id))) : answer;
  };
}
