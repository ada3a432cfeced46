import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { idempotent, isIdempotencyError, memoryStore } from "../../src/index.ts";

/** What may happen to one request, on the way there or on the way back. */
export type Mishap =
  | "none"
  | "reset before the effect"
  | "reset after the effect"
  | "cut in the body"
  | "stall in the body"
  | "silence after the effect"
  | "503 before the effect"
  | "429 before the effect"
  | "502 after the effect"
  | "slow effect";

/** An idempotent service over real sockets, and what it did. */
export interface Service {
  readonly url: string;
  /** How often the effect of each order ran. */
  readonly effects: ReadonlyMap<string, number>;
  /** Which statuses were sent, or what else happened, and how often. */
  readonly seen: ReadonlyMap<string, number>;
  readonly close: () => Promise<void>;
}

/** Listens; `mishap` decides for each request what happens to it. */
export async function startService(mishap: (request: IncomingMessage) => Mishap): Promise<Service> {
  const effects = new Map<string, number>();
  const seen = new Map<string, number>();
  const count = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);

  const place = idempotent(
    async ({ body, slow }: { readonly key: string; readonly body: string; readonly slow: boolean }) => {
      const { order } = JSON.parse(body) as { order: string };
      count(effects, order);
      await pause(slow ? 900 : 2);
      return { order, receipt: crypto.randomUUID() };
    },
    { store: memoryStore(), operation: "place", key: "key", fingerprint: "body" },
  );

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = mishap(request);
    if (what !== "none") count(seen, what);
    const end = (status: number, headers: Record<string, string>, body = "") => {
      count(seen, `${status}`);
      response.writeHead(status, headers).end(body);
    };
    const body = await text(request);
    if (what === "reset before the effect") return void request.socket.resetAndDestroy();
    if (what === "503 before the effect") return end(503, { "retry-after": "0" });
    if (what === "429 before the effect") return end(429, {});
    try {
      const key = `${request.headers["idempotency-key"]}`;
      const { status, result } = await place.outcome({ key, body, slow: what === "slow effect" });
      if (what === "reset after the effect") return void request.socket.resetAndDestroy();
      if (what === "silence after the effect") return;
      if (what === "502 after the effect") return end(502, {}, "bad gateway");
      const headers = status === "replayed" ? { "idempotent-replayed": "true" } : {};
      const answer = JSON.stringify(result);
      if (!what.endsWith("in the body")) return end(201, { "content-type": "application/json", ...headers }, answer);
      response.writeHead(201, { "content-length": answer.length });
      response.write(answer.slice(0, 10));
      if (what === "cut in the body") setTimeout(() => request.socket.destroy(), 5);
    } catch (error) {
      if (!isIdempotencyError(error)) throw error;
      const type = `https://lambda-once.dev/problems/${error.code}`;
      const headers = { "content-type": "application/problem+json", ...error.headers };
      // A second is long for a test: without the header, the type alone has to do.
      if (error.code === "in_progress") delete (headers as Record<string, string>)["Retry-After"];
      end(error.statusCode, headers, JSON.stringify({ type, status: error.statusCode, title: error.message }));
    }
  }

  const server: Server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`,
    effects,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
