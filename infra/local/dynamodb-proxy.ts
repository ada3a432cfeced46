import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request as send } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { bytesOf, listen } from "./listen.ts";

/** A request of a function to DynamoDB that has been answered. */
export interface DynamoDBCall {
  /** `PutItem` and so on. */
  readonly operation: string;
  /** The invocation that sent it. */
  readonly requestId: string | undefined;
  /** The request and the answer, as DynamoDB's JSON. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly output: Readonly<Record<string, unknown>>;
  /** HTTP status; 0 for an answer that was dropped. */
  readonly status: number;
}

/** A request, or its answer, that is held back. */
export interface Hold {
  /** Resolves when it has come. */
  readonly reached: Promise<void>;
  /** Lets it go on. */
  release(): void;
  /** Ends its connection instead: a request is then never carried out, an answer never heard. */
  drop(): void;
}

/** A way to DynamoDB Local on which faults can be had. */
export interface DynamoDBProxy {
  readonly url: string;
  readonly calls: readonly DynamoDBCall[];
  /** The next `times` requests of the operation are carried out, but the connection ends instead of an answer. */
  dropResponse(operation: string, times?: number): void;
  /** The next `times` requests of the operation are answered as DynamoDB does when a table is asked too much. */
  throttle(operation: string, times?: number): void;
  /** The next `times` requests of the operation take so much longer. */
  delay(operation: string, milliseconds: number, times?: number): void;
  /** The next request of the operation waits before it is carried out (`request`), or its answer does (`response`). */
  hold(operation: string, at?: "request" | "response"): Hold;
  close(): Promise<void>;
}

type Fault =
  | { readonly kind: "drop" | "throttle" }
  | { readonly kind: "delay"; readonly milliseconds: number }
  | {
      readonly kind: "hold";
      readonly at: "request" | "response";
      readonly reach: () => void;
      readonly verdict: Promise<"release" | "drop">;
    };

const THROTTLED = JSON.stringify({
  __type: "com.amazonaws.dynamodb.v20120810#ThrottlingException",
  message: "Throughput exceeds the current capacity of your table or index. (a fault that was asked for)",
});
const CALL_LIMIT = 10_000;

/** Starts the proxy in front of the DynamoDB Local at `endpoint`. */
export async function startDynamoDBProxy(
  endpoint: string,
  invocationOf: (accessKey: string) => string | undefined,
): Promise<DynamoDBProxy> {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  const faults = new Map<string, Fault[]>();
  const calls: DynamoDBCall[] = [];

  const forward = async (
    headers: IncomingHttpHeaders,
    body: Buffer,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = send({ hostname, port, agent, method: "POST", path: "/", headers }, resolve);
      outgoing.once("error", reject);
      outgoing.end(body);
    });
    return { status: answer.statusCode ?? 500, headers: answer.headers, body: await bytesOf(answer) };
  };

  const server = createServer(async (request, response) => {
    try {
      const operation = String(request.headers["x-amz-target"]).replace(/^.*\./, "");
      const [, accessKey = ""] = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "") ?? [];
      const requestId = invocationOf(accessKey);
      const body = await bytesOf(request);
      const told = (status: number, output: Buffer | string): void => {
        calls.push({ operation, requestId, input: readJson(body), output: readJson(output), status });
        if (calls.length > CALL_LIMIT) calls.shift();
      };
      const fault = faults.get(operation)?.shift();
      if (fault?.kind === "throttle") {
        told(400, THROTTLED);
        response.writeHead(400, { "content-type": "application/x-amz-json-1.0" }).end(THROTTLED);
        return;
      }
      if (fault?.kind === "delay") await pause(fault.milliseconds, undefined, { ref: false });
      const hold = fault?.kind === "hold" ? fault : undefined;
      if (hold?.at === "request" && (await held(hold)) === "drop") return void request.socket.destroy();
      const answer = await forward(request.headers, body);
      const dropped = fault?.kind === "drop" || (hold?.at === "response" && (await held(hold)) === "drop");
      told(dropped ? 0 : answer.status, answer.body);
      if (dropped) request.socket.destroy();
      else response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch {
      request.socket.destroy();
    }
  });
  const { url, close } = await listen(server);

  const add = (operation: string, times: number, fault: Fault): void => {
    faults.set(operation, [...(faults.get(operation) ?? []), ...Array.from({ length: times }, () => fault)]);
  };
  return {
    url,
    calls,
    dropResponse: (operation, times = 1) => add(operation, times, { kind: "drop" }),
    throttle: (operation, times = 1) => add(operation, times, { kind: "throttle" }),
    delay: (operation, milliseconds, times = 1) => add(operation, times, { kind: "delay", milliseconds }),
    hold(operation, at = "request") {
      let reach = (): void => {};
      let release = (): void => {};
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      let drop = (): void => {};
      const verdict = new Promise<"release" | "drop">((resolve) => {
        release = () => resolve("release");
        drop = () => resolve("drop");
      });
      add(operation, 1, { kind: "hold", at, reach, verdict });
      return { reached, release, drop };
    },
    async close() {
      agent.destroy();
      await close();
    },
  };
}

function held({
  reach,
  verdict,
}: {
  readonly reach: () => void;
  readonly verdict: Promise<"release" | "drop">;
}): Promise<"release" | "drop"> {
  reach();
  return verdict;
}

function readJson(text: Buffer | string): Record<string, unknown> {
  try {
    return JSON.parse(text.toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}
