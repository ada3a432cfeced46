import { createServer, type IncomingMessage, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, type Readable } from "node:stream";
import { type Fault, none } from "./dynamodb-faults.ts";

interface Answered {
  readonly response: {
    readonly statusCode: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Readable;
  };
}

/**
 * DynamoDB Local behind a server whose requests meet `faults` one after the other, and then go through: the
 * same faults as `faultyClient`'s, for any client. What fails there ends the connection here.
 */
export async function faultyEndpoint(
  local: { readonly endpoint: string },
  faults: readonly Fault[],
): Promise<{ readonly endpoint: string; readonly sent: readonly string[]; close(): void }> {
  const { hostname, port } = new URL(local.endpoint);
  const left = [...faults];
  const sent: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    sent.push(String(incoming.headers["x-amz-target"]).replace(/^.*\./, ""));
    const fault = left.shift() ?? none;
    const { url: path, method, headers } = incoming;
    const forward = () =>
      new Promise<Answered>((resolve, reject) => {
        const onward = send({ hostname, port, path, method, headers }, (answer: IncomingMessage) => {
          const { statusCode = 502, headers: given } = answer;
          resolve({ response: { statusCode, headers: given as Record<string, string>, body: answer } });
        });
        onward.on("error", reject);
        incoming.pipe(onward);
      });
    try {
      const { response } = (await fault(forward as never)) as unknown as Answered;
      outgoing.writeHead(response.statusCode, response.headers);
      pipeline(response.body, outgoing, () => {});
    } catch {
      incoming.socket.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
