import { createServer, type IncomingMessage } from "node:http";
import { bytesOf, type Listening, listen } from "../../infra/local/listen.ts";
import type { HttpEvent, HttpResponse } from "../../src/http.ts";

/** A server of this machine that hands its requests to a handler as a function URL does: payload 2.0. */
export function serve(handler: (event: HttpEvent) => Promise<unknown>): Promise<Listening> {
  const server = createServer((request, response) => {
    void (async () => {
      const answer = (await handler(await eventOf(request)).catch(() => ({ statusCode: 500 }))) as HttpResponse;
      response.writeHead(answer.statusCode, answer.headers as Record<string, string>);
      response.end(answer.body);
    })();
  });
  return listen(server);
}

async function eventOf(request: IncomingMessage): Promise<HttpEvent> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const headers: Record<string, string> = {};
  for (const [name, values = []] of Object.entries(request.headersDistinct)) headers[name] = values.join(",");
  return {
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    requestContext: { http: { method: request.method, path: url.pathname } },
    body: (await bytesOf(request)).toString("base64"),
    isBase64Encoded: true,
  };
}
