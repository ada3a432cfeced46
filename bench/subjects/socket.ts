import { endpoint, putOf, type Send, unsigned, updateOf } from "./https.ts";
import { tableOf } from "./scenario.ts";
import { serve } from "./serve.ts";

/** The same bytes over one socket of `node:tls`, one request after the other: HTTP as far as its answers' lengths. */
function bareSocket(): Send {
  const { hostname, host, port } = endpoint();
  const headers = unsigned(host);
  const socket = process.getBuiltinModule("node:tls").connect({ host: hostname, port: Number(port) });
  socket.setNoDelay(true).setEncoding("latin1");
  let [text, heard] = ["", (_body: string): void => {}];
  socket.on("data", (chunk: string) => {
    text += chunk;
    const start = text.indexOf("\r\n\r\n") + 4;
    const length = Number(/^content-length: (\d+)/im.exec(text)?.[1]);
    if (start < 4 || text.length < start + length) return;
    const body = text.slice(start);
    text = "";
    heard(body);
  });
  return (operation, body) =>
    new Promise((resolve, reject) => {
      heard = resolve;
      socket.once("error", reject);
      let head = "POST / HTTP/1.1\r\n";
      for (const [at, word] of headers(operation, body).entries()) head += at % 2 === 0 ? `${word}: ` : `${word}\r\n`;
      socket.write(`${head}\r\n${body}`, "latin1", () => socket.off("error", reject));
    });
}

/** As many requests as a first execution or a replay makes, over a socket alone. */
serve((scenario) => {
  const send = bareSocket();
  const table = tableOf("ours", scenario);
  let sent = 0;
  return async () => {
    const id = `place-order#${++sent}`;
    const answer = await send("PutItem", putOf(table, id));
    return scenario.path === "first" ? send("UpdateItem", updateOf(table, id)) : answer;
  };
});
