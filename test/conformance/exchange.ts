import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

/** Where the suite sends its requests, and what is the same in all of them. */
export interface Target {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A body that the endpoint accepts. */
  readonly body: string;
  /** Another body that it accepts; the operation is a different one. */
  readonly otherBody: string;
}

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** What differs between two requests of one rule. */
export interface Change {
  /** Values of `Idempotency-Key`, each in a header of its own. Absent: no such header. */
  readonly keys?: readonly string[];
  /** The spelling of the header's name. */
  readonly name?: string;
  readonly body?: string;
}

/** Sends one request as it stands: `fetch` would join two headers of one name. */
export function exchange(target: Target, { keys = [], name = "Idempotency-Key", body }: Change): Promise<Received> {
  const content = Buffer.from(body ?? target.body);
  const send = target.url.startsWith("https:") ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = send(target.url, {
      method: target.method,
      headers: {
        "content-type": "application/json",
        "content-length": content.length,
        ...target.headers,
        ...(keys.length > 0 && { [name]: [...keys] }),
      },
    });
    request.setTimeout(30_000, () => request.destroy(new Error("no answer within 30 s")));
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const headers = Object.entries(response.headers).map(([header, value]) => [header, String(value)]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(headers),
          body: Buffer.concat(chunks).toString("utf8"),
        });
      });
    });
    request.end(content);
  });
}
