import aws4 from "aws4";
import type { Place } from "./endpoint.ts";
import type { LightCredentials } from "./provider.ts";

/**
 * The headers of a request signed by Signature Version 4, name by name with its value, with as few of them as DynamoDB asks
 * for. The key is derived once a day for each pair of credentials and region: `aws4` keeps it.
 */
export function signed(
  { host, path, region }: Place,
  { operation, body, at }: { operation: string; body: string; at: number },
  { accessKeyId, secretAccessKey, sessionToken }: LightCredentials,
): string[] {
  const headers: Record<string, string> = {
    Host: host,
    "Content-Type": "application/x-amz-json-1.0",
    "Content-Length": String(Buffer.byteLength(body)),
    "X-Amz-Date": dateOf(at),
    "X-Amz-Target": `DynamoDB_20120810.${operation}`,
  };
  const request = { service: "dynamodb", region, method: "POST", host, path, headers, body };
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  const list: string[] = [];
  const all = aws4.sign(request, credentials).headers as Readonly<Record<string, string>>;
  for (const name of Object.keys(all)) list.push(name, all[name] as string);
  return list;
}

/** As `20261128T093321Z`. */
function dateOf(at: number): string {
  const [day = "", time = ""] = new Date(at).toISOString().split("T");
  return `${day.slice(0, 4)}${day.slice(5, 7)}${day.slice(8)}T${time.slice(0, 2)}${time.slice(3, 5)}${time.slice(6, 8)}Z`;
}
