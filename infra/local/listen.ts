import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of this machine that is up. */
export interface Listening {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Lets a server listen on 127.0.0.1, on any free port if none is given.
 *
 * @throws Error in one sentence where the port is taken.
 */
export function listen(server: Server, port = 0): Promise<Listening> {
  // A frozen function's connection must not be closed behind its back: DynamoDB and Lambda keep them for minutes.
  server.keepAliveTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(taken ? new Error(`port ${port} is in use: end what listens there, or choose another port`) : error);
    });
    server.listen(port, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      const close = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
          server.closeAllConnections();
        });
      resolve({ port, url: `http://127.0.0.1:${port}`, close });
    });
  });
}

/** The whole body of a message. */
export async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
