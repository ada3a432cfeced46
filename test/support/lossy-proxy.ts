import { createServer, type IncomingMessage, request as send } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of a request on its way. */
export type Fate = "passes" | "lost on the way there" | "answer lost on the way back";

/** A way to a server on which requests and answers get lost. */
export interface LossyProxy {
  /** Of the proxy, in the place of the server's origin. */
  readonly origin: string;
  close(): Promise<void>;
}

/** Forwards to `target` what its fate lets through; what is lost ends the client's connection. `fate` is asked in order. */
export async function lossyProxy(target: string, fate: (request: number) => Fate): Promise<LossyProxy> {
  const { hostname, port } = new URL(target);
  let requests = 0;
  const server = createServer((incoming, outgoing) => {
    const becomes = fate(requests++);
    const lose = (): void => void incoming.socket.destroy();
    if (becomes === "lost on the way there") return lose();
    const { url: path, method, headers } = incoming;
    const forwarded = send({ hostname, port, path, method, headers }, (answer: IncomingMessage) => {
      if (becomes === "passes") answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers));
      else answer.resume().on("end", lose);
    });
    forwarded.on("error", lose);
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
