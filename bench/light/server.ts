import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { RESULT } from "../cpu/scenario.ts";

const TYPE = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";

/** A record as it stands after a first execution. */
function completed(id: string): object {
  const now = Date.now();
  const numbers = { v: 1, attempt: 1, createdAt: now, completedAt: now, expiresAt: Math.ceil(now / 1_000) + 86_400 };
  const texts = { id, status: "COMPLETED", owner: "0f8fad5b-d9cb-469f-a165-70867728950e", encoding: "json" };
  return {
    ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, { N: String(value) }])),
    ...Object.fromEntries(
      Object.entries({ ...texts, result: JSON.stringify(RESULT) }).map(([name, S]) => [name, { S }]),
    ),
  };
}

/**
 * Stands for DynamoDB over TLS, in this process, so that only the client is measured in its own: it writes whatever it is
 * told, and in the table `replay` holds a completed record under every id. Its certificate is made by the command `openssl`.
 */
export async function startServer(folder: string): Promise<{ endpoint: string; certificate: string; stop(): void }> {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  await promisify(execFile)("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", certificate, ...name]);
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const id = body.includes('"TableName":"replay"') ? /"id":\{"S":"([^"]+)"/.exec(body)?.[1] : undefined;
      const text =
        id === undefined ? {} : { __type: TYPE, message: "The conditional request failed", Item: completed(id) };
      const answer = Buffer.from(JSON.stringify(text));
      const headers = { "content-type": "application/x-amz-json-1.0", "content-length": answer.length };
      response.writeHead(id === undefined ? 200 : 400, { ...headers, "x-amz-crc32": crc32(answer) }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { endpoint: `https://localhost:${(server.address() as AddressInfo).port}`, certificate, stop };
}
