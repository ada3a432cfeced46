import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { answer, headersOf } from "./subjects/records.ts";

/** Where the measured processes are to send their requests, as an environment. */
export type Place = Readonly<Record<string, string>>;

/**
 * Stands for DynamoDB over TLS, in this process, so that a measured process spends its CPU time on its own side only.
 * The certificate is made by the command `openssl`.
 */
export async function startServer(folder: string): Promise<{ place: Place; stop(): void }> {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  await promisify(execFile)("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", certificate, ...name]);
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { status, body } = answer(String(request.headers["x-amz-target"]), Buffer.concat(chunks).toString());
      const bytes = Buffer.from(body);
      response.writeHead(status, { ...headersOf(bytes.length), "x-amz-crc32": crc32(bytes) }).end(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  const place = {
    AWS_ENDPOINT_URL_DYNAMODB: `https://localhost:${(server.address() as AddressInfo).port}`,
    NODE_EXTRA_CA_CERTS: certificate,
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_SESSION_TOKEN: "t".repeat(900),
  };
  return { place, stop };
}
