import type { TLSSocket } from "node:tls";
import { endpoint, requestsBy, type Send, unsigned } from "./https.ts";
import { serve } from "./serve.ts";

/** The same bytes over one socket of `node:tls`, one request after the other: HTTP as far as its answers' lengths. */
function bareSocket(): Send {
  const { hostname, host, port } = endpoint();
  const headers = unsigned(host);
  let socket: TLSSocket | undefined;
  let heard = { resolve: (_body: string): void => {}, reject: (_error: unknown): void => {} };
  const open = (): TLSSocket => {
    const opened = process.getBuiltinModule("node:tls").connect({ host: hostname, port: Number(port) });
    opened.setNoDelay(true).setEncoding("latin1");
    let text = "";
    opened.on("data", (chunk: string) => {
      text += chunk;
      const start = text.indexOf("\r\n\r\n") + 4;
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1]);
      if (start < 4 || text.length < start + length) return;
      const body = text.slice(start);
      text = "";
      heard.resolve(body);
    });
    opened.on("error", (error) => heard.reject(error));
    // The server ends a connection that rests for some seconds.
    opened.on("close", () => {
      socket = undefined;
      heard.reject(new Error("the connection has ended"));
    });
    return opened;
  };
  return (operation, body) =>
    new Promise((resolve, reject) => {
      heard = { resolve, reject };
      let head = "POST / HTTP/1.1\r\n";
      for (const [at, word] of headers(operation, body).entries()) head += at % 2 === 0 ? `${word}: ` : `${word}\r\n`;
      socket ??= open();
      socket.write(`${head}\r\n${body}`, "latin1");
    });
}

serve(requestsBy(bareSocket));
