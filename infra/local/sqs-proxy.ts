import { createServer, type IncomingMessage, type Server, request as send } from "node:http";
import { bytesOf } from "./listen.ts";

/**
 * A way to fauxqs by which queue URLs name 127.0.0.1. Its own name `sqs.<region>.localhost`, which not every machine
 * resolves, and the AWS SDK sends to the host in the queue's URL, whatever its endpoint is.
 */
export function sqsProxy(fauxqsPort: number, own: () => string, its: string): Server {
  const swap = (url: unknown, from: string, to: string): unknown =>
    typeof url === "string" && url.startsWith(from) ? to + url.slice(from.length) : url;

  return createServer(async (request, response) => {
    try {
      const input = (await bytesOf(request)).toString();
      const body = edit(input, (fields) => ({ ...fields, ...mapped(fields, (url) => swap(url, own(), its)) }));
      const headers = { ...request.headers, "content-length": Buffer.byteLength(body) };
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const options = { host: "127.0.0.1", port: fauxqsPort, method: request.method, path: request.url, headers };
        send(options, resolve).once("error", reject).end(body);
      });
      const output = (await bytesOf(answer)).toString();
      const told = edit(output, (fields) => ({ ...fields, ...mapped(fields, (url) => swap(url, its, own())) }));
      const length = { "content-length": Buffer.byteLength(told) };
      response.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...length }).end(told);
    } catch {
      request.socket.destroy();
    }
  });
}

type Fields = Readonly<Record<string, unknown>>;

function mapped(fields: Fields, change: (url: unknown) => unknown): Fields {
  const { QueueUrl, QueueUrls, queueUrls } = fields;
  const list = (urls: unknown): unknown => (Array.isArray(urls) ? urls.map(change) : urls);
  return {
    ...(QueueUrl === undefined ? {} : { QueueUrl: change(QueueUrl) }),
    ...(QueueUrls === undefined ? {} : { QueueUrls: list(QueueUrls) }),
    ...(queueUrls === undefined ? {} : { queueUrls: list(queueUrls) }),
  };
}

/** Leaves alone what is no JSON object. */
function edit(text: string, change: (fields: Fields) => Fields): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? JSON.stringify(change(value as Fields))
      : text;
  } catch {
    return text;
  }
}
