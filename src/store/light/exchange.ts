import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import { type Failure, failure } from "./failure.ts";
import type { LightRuntime } from "./runtime.ts";

/** An HTTP answer as it came, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** No answer, or none that is whole. */
export interface Unanswered {
  readonly error: Failure;
  /** The request went out on a connection that had been idle: the server may have closed it before. */
  readonly reused: boolean;
}

/** How long one exchange may take, in milliseconds: until there is a connection, and to its end. */
export interface Patience {
  readonly connect: number;
  readonly answer: number;
}

/** One way to one server: `node:http` or `node:https`, and the connections that are kept. */
export interface Line {
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly agent: Agent;
  readonly secure: boolean;
  /** Each gives up a request that is under way, or waits for a connection. */
  readonly open: Set<(error: Failure) => void>;
  /** Gives all of them up, and ends all connections. */
  end(): void;
}

/**
 * A line to one server: its connections need no names to be told apart, which an agent else makes of some twenty options
 * for each request. The modules are asked for by name when they are needed: on Node 22 and newer an `import` of `node:http`
 * also loads `fetch` and all that belongs to it.
 */
export function lineTo(protocol: string): Line {
  const secure = protocol === "https:";
  const { Agent, request } = process.getBuiltinModule(secure ? "node:https" : "node:http");
  const agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 50 }), { getName: () => protocol });
  const open: Line["open"] = new Set();
  const end = (): void => {
    for (const giveUp of open) giveUp(failure("ClientDestroyed", "the client was destroyed", { code: "ECONNRESET" }));
    // The agent opens one for requests that were waiting for theirs, and finds that they have ended.
    agent.keepSocketAlive = () => false;
    agent.destroy();
  };
  return { agent, request, secure, open, end };
}

/**
 * One request and its answer. What the network does is never a rejection, a redirect is not followed, and no
 * timer is left behind; the connection is kept only after a whole answer to a request that has gone out whole.
 */
export function exchange(
  { request: send, agent, secure, open }: Line,
  options: RequestOptions,
  { body, limit, patience, runtime }: { body?: string; limit: number; patience: Patience; runtime: LightRuntime },
): Promise<Answer | Unanswered> {
  return new Promise((resolve) => {
    const request = send(Object.assign(options, { agent, setHost: false }));
    let connected = false;
    let connecting: (() => void) | undefined;
    const settle = (outcome: Answer | Unanswered): void => {
      connecting?.();
      resolve(outcome);
    };
    const done = (answer: Answer): void => {
      // A server may answer before it has read the body, and never read it: until then the connection is not free.
      if (request.writableFinished) late();
      settle(answer);
    };
    const fail = (error: Failure): void => {
      late();
      // Until then nothing is written, not to TLS either.
      if (!connected) Object.assign(error, { $metadata: { sent: false } });
      settle({ error, reused: request.reusedSocket });
    };
    /** Settles first: what the destruction then makes the sockets say is about us. */
    const giveUp = (error: Failure): void => {
      open.delete(giveUp);
      fail(error);
      request.destroy();
    };
    open.add(giveUp);
    const late = runtime.alarm(patience.answer, () =>
      giveUp(failure("TimeoutError", `no answer within ${patience.answer} ms`)),
    );

    request.on("error", fail);
    request.on("socket", (socket) => {
      connected = !socket.connecting;
      if (connected) return;
      const cancel = runtime.alarm(patience.connect, () =>
        giveUp(failure("TimeoutError", `no connection within ${patience.connect} ms`)),
      );
      connecting = cancel;
      socket.once(secure ? "secureConnect" : "connect", () => {
        connected = true;
        cancel();
      });
    });
    let answered = false;
    request.on("response", (response) => {
      answered = true;
      collect(response, limit, { done, fail, giveUp });
    });
    // Without an answer and without an error: a server that switches protocols, or ends the connection.
    request.on("close", () => {
      open.delete(giveUp);
      late();
      if (!answered) fail(cutOff());
    });
    request.end(body);
  });
}

const cutOff = (): Failure => failure("Error", "the connection ended before the answer did", { code: "ECONNRESET" });

function collect(
  response: IncomingMessage,
  limit: number,
  { done, fail, giveUp }: Record<"fail" | "giveUp", (error: Failure) => void> & { done: (answer: Answer) => void },
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) giveUp(failure("ResponseTooLarge", `the answer is larger than ${limit} bytes`));
    else chunks.push(chunk);
  });
  response.on("end", () => {
    if (!response.complete) return fail(cutOff());
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    done({ status: response.statusCode ?? 0, headers: response.headers, body });
  });
  response.on("error", fail);
  response.on("close", () => {
    if (!response.complete) fail(cutOff());
  });
}
