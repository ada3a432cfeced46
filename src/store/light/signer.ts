import aws4 from "aws4";
import type { Place } from "./endpoint.ts";
import type { LightCredentials } from "./provider.ts";

/** The headers of a signed request. */
export type SignedHeaders = Readonly<Record<string, string>>;

/**
 * Signs by Signature Version 4, with as few headers as DynamoDB asks for. The key is derived once a day for
 * each pair of credentials and region: `aws4` keeps it.
 */
export function signed(
  { host, path, region }: Place,
  { operation, body, at }: { operation: string; body: string; at: number },
  { accessKeyId, secretAccessKey, sessionToken }: LightCredentials,
): SignedHeaders {
  const headers: Record<string, string> = {
    Host: host,
    "Content-Type": "application/x-amz-json-1.0",
    "Content-Length": String(Buffer.byteLength(body)),
    "X-Amz-Date": `${new Date(at).toISOString().slice(0, 19).replaceAll(/[:-]/g, "")}Z`,
    "X-Amz-Target": `DynamoDB_20120810.${operation}`,
  };
  const request = { service: "dynamodb", region, method: "POST", host, path, headers, body };
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  return aws4.sign(request, credentials).headers as SignedHeaders;
}
