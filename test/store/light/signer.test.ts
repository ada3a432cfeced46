import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { placeOf } from "../../../src/store/light/endpoint.ts";
import { signed as signedList } from "../../../src/store/light/signer.ts";
import { KEYS } from "./kit.ts";

/** The signed headers by name. */
function signed(...args: Parameters<typeof signedList>): Readonly<Record<string, string>> {
  const list = signedList(...args);
  return Object.fromEntries(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] as string]] : [])));
}

type Pair = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };

/** The SDK's signer, told to sign the headers that there are and to add none. */
async function sdkSignature(
  region: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  at: number,
  credentials: Pair,
) {
  const client = new DynamoDBClient({ region, credentials });
  const provider = client.config.signer as unknown as (scheme?: object) => Promise<{ constructor: unknown }>;
  const signer = await provider({ name: "sigv4", signingName: "dynamodb", signingRegion: region });
  const settings = {
    credentials,
    region,
    service: "dynamodb",
    sha256: client.config.sha256,
    applyChecksum: false,
  };
  const SignatureV4 = signer.constructor as new (
    settings: object,
  ) => { sign(request: object, options: object): Promise<{ headers: Record<string, string> }> };
  const { Authorization, ...rest } = headers;
  const names = Object.entries(rest).map(([name, value]) => [name.toLowerCase(), value]);
  const request = { method: "POST", protocol: "https:", hostname: rest["Host"], path: "/", query: {} };
  const { headers: signedHeaders } = await new SignatureV4(settings).sign(
    { ...request, headers: Object.fromEntries(names), body },
    { signingDate: new Date(at) },
  );
  return signedHeaders["authorization"];
}

describe("a signature", () => {
  const body = '{"TableName":"orders","Item":{"id":{"S":"größer 😀"}}}';
  const at = Date.UTC(2026, 10, 21, 23, 59, 59, 999);
  const place = (region: string) => placeOf(region, { endpoint: undefined, fips: false });

  it.each(["eu-central-1", "us-gov-west-1", "cn-north-1"])("is the SDK's own, in %s", async (region) => {
    const headers = signed(place(region), { operation: "PutItem", body, at }, KEYS);
    expect(headers["Authorization"]).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20261121\//);
    expect(await sdkSignature(region, headers, body, at, KEYS)).toBe(headers["Authorization"]);
  });

  it("is the SDK's own without a session token, and on the next day with another key", async () => {
    const { sessionToken: _, ...pair } = KEYS;
    for (const when of [at, at + 1, at + 86_400_000]) {
      const headers = signed(place("eu-west-1"), { operation: "GetItem", body, at: when }, pair);
      expect(headers).not.toHaveProperty("X-Amz-Security-Token");
      expect(await sdkSignature("eu-west-1", headers, body, when, pair)).toBe(headers["Authorization"]);
    }
  });

  it("covers every header, and there are no more than DynamoDB asks for", () => {
    const headers = signed(place("eu-central-1"), { operation: "PutItem", body, at }, KEYS);
    const { Authorization, ...rest } = headers;
    expect(rest).toStrictEqual({
      Host: "dynamodb.eu-central-1.amazonaws.com",
      "Content-Type": "application/x-amz-json-1.0",
      "Content-Length": String(Buffer.byteLength(body)),
      "X-Amz-Date": "20261121T235959Z",
      "X-Amz-Target": "DynamoDB_20120810.PutItem",
      "X-Amz-Security-Token": "tokentoken",
    });
    const covered = Object.keys(rest).map((name) => name.toLowerCase());
    expect(Authorization).toContain(`SignedHeaders=${covered.sort().join(";")}, `);
  });
});
