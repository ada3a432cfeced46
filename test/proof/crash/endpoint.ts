import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { bytesOf, listen } from "../../../infra/local/listen.ts";
import { type Fault, refusalOf } from "./faults.ts";
import { type Named, nameOf } from "./requests.ts";

/** A request of one caller, on its way. */
export interface OnItsWay extends Named {
  readonly caller: string;
}

/** Whoever decides what becomes of one caller's requests. */
export interface Fate {
  /** The fault that a request meets; `undefined` lets it through. */
  strikes(request: OnItsWay): Fault | undefined;
  /** Ends the process of a caller, and resolves when it is dead. */
  kill(caller: string): Promise<void>;
  /** A request arrives by itself, when its sender has closed the connection. */
  follow(arrival: Promise<unknown>): void;
  /** Keeps a request that arrives much later. */
  keep(arrive: () => Promise<unknown>): void;
}

/** A way to DynamoDB Local for many callers at once, known by their access keys, each with a fate of its own. */
export interface Endpoint {
  readonly url: string;
  /** Gives a caller's requests to a fate. */
  assign(caller: string, fate: Fate): void;
  forget(caller: string): void;
  close(): Promise<void>;
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Opens the way to the DynamoDB Local at `target`. */
export async function openEndpoint(target: string): Promise<Endpoint> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const fates = new Map<string, Fate>();

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => incoming.socket.destroy());
  });

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bytesOf(incoming);
    const operation = String(incoming.headers["x-amz-target"]).replace(/^.*\./, "");
    const caller = /Credential=([^/]+)\//.exec(incoming.headers.authorization ?? "")?.[1] ?? "";
    const fate = fates.get(caller);
    const { headers } = incoming;
    const forward = (): Promise<Answered> =>
      new Promise((resolve, reject) => {
        const onward = send({ hostname, port, agent, method: "POST", path: "/", headers }, (answer) => {
          bytesOf(answer).then(
            (bytes) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: bytes }),
            reject,
          );
        });
        onward.once("error", reject);
        onward.end(body);
      });
    const pass = async (): Promise<void> => {
      const answer = await forward();
      outgoing.writeHead(answer.status, answer.headers).end(answer.body);
    };
    const fault = fate?.strikes({ ...nameOf(operation, body), caller });
    if (fate === undefined || fault === undefined) return pass();
    const lose = (): void => void incoming.socket.destroy();
    switch (fault) {
      case "reset":
        return lose();
      case "lost":
        await forward();
        return lose();
      case "throttled":
      case "conflict": {
        const { TransactItems = [] } = JSON.parse(body.toString()) as { TransactItems?: readonly unknown[] };
        const refusal = refusalOf(fault, operation, TransactItems.length);
        outgoing.writeHead(400, { "content-type": "application/x-amz-json-1.0" }).end(refusal);
        return;
      }
      case "never":
        return;
      case "late":
        return fate.follow(new Promise((resolve) => incoming.socket.once("close", resolve)).then(forward));
      case "much later":
        return fate.keep(forward);
      case "killed before":
        await fate.kill(caller);
        return lose();
      case "killed after":
        await forward();
        await fate.kill(caller);
        return lose();
    }
  }

  const { url, close } = await listen(server);
  return {
    url,
    assign: (caller, fate) => void fates.set(caller, fate),
    forget: (caller) => void fates.delete(caller),
    async close() {
      agent.destroy();
      await close();
    },
  };
}
