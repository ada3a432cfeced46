import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { certificate, key } from "./certificate.ts";
import { clientAt, failureOf, GET, KEYS } from "./kit.ts";

/** A server that speaks TLS, and counts its connections and requests. */
async function secure() {
  const seen = { connections: 0, requests: [] as string[] };
  const server = createServer({ key, cert: certificate }, (request, response) => {
    seen.requests.push(String(request.method));
    request.resume().on("end", () => response.end("{}"));
  });
  server.on("secureConnection", () => {
    seen.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { seen, endpoint: `https://localhost:${(server.address() as AddressInfo).port}` };
}

it("a server that nobody vouches for gets no request, and is not asked again", async () => {
  const { endpoint, seen } = await secure();
  const error = await failureOf(clientAt(endpoint).send("GetItem", GET));
  expect(error).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  expect(seen.requests).toStrictEqual([]);
});

it("a client that is prewarmed shakes hands once for all of its requests", async () => {
  const { endpoint, seen } = await secure();
  const folder = await mkdtemp(join(tmpdir(), "light-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "certificate.pem");
  await writeFile(file, certificate);
  const program = `
    const { lightClient } = await import("lambda-once/dynamodb/light");
    const client = lightClient({ region: "eu-central-1", endpoint: "${endpoint}", credentials: ${JSON.stringify(KEYS)} });
    await client.prewarm();
    for (let request = 0; request < 3; request++) await client.send("GetItem", ${JSON.stringify(GET)});`;
  const flags = ["--conditions=lambda-once-source", "--import", "tsx", "--input-type=module", "-e", program];
  await promisify(execFile)(process.execPath, flags, { env: { ...process.env, NODE_EXTRA_CA_CERTS: file } });
  expect(seen).toStrictEqual({ connections: 1, requests: ["GET", "POST", "POST", "POST"] });
});
