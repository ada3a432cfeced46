import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { bytesOf } from "./listen.ts";

/** An error as Lambda gives it to the caller of a function. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** An invocation on its way to a runtime. */
export interface Job {
  readonly requestId: string;
  /** The event, as JSON text. */
  readonly payload: string;
  readonly functionArn: string;
  readonly traceId: string;
}

/** What a runtime tells its host. */
export interface RuntimeTurns {
  /** It asks for the next invocation: it has started, or is through with the one before. */
  ready(): void;
  responded(requestId: string, payload: string): void;
  failed(requestId: string, error: FunctionError): void;
  initFailed(error: FunctionError): void;
}

/** The Runtime API of one execution environment, as in AWS each has its own. */
export interface RuntimeApi {
  readonly address: string;
  /** Answers the question of `ready`. */
  deliver(job: Job, deadline: number): void;
  close(): void;
}

/** What a request to a function, and its answer, may have in bytes. */
export const PAYLOAD_LIMIT = 6_291_556;

const TURN =
  /^\/2018-06-01\/runtime\/(?:invocation\/(?<id>[^/]+)\/(?<turn>response|error)|(?<plain>invocation\/next|init\/error))$/;

/** Serves Lambda's Runtime API (2018-06-01) to one process. */
export async function serveRuntimeApi(turns: RuntimeTurns): Promise<RuntimeApi> {
  let waiting: ServerResponse | undefined;

  const accept = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { id = "", turn, plain } = TURN.exec(request.url ?? "")?.groups ?? {};
    if (plain === "invocation/next") {
      waiting = response;
      turns.ready();
      return;
    }
    const body = (await bytesOf(request)).toString();
    response.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
    if (plain === "init/error") turns.initFailed(asError(body));
    else if (turn === "error") turns.failed(decodeURIComponent(id), asError(body));
    else if (turn !== "response") return;
    else if (Buffer.byteLength(body) <= PAYLOAD_LIMIT) turns.responded(decodeURIComponent(id), body);
    else turns.failed(decodeURIComponent(id), tooLarge);
  };

  const server = createServer((request, response) => {
    accept(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliver(job, deadline) {
      const headers = {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": job.requestId,
        "lambda-runtime-deadline-ms": deadline,
        "lambda-runtime-invoked-function-arn": job.functionArn,
        "lambda-runtime-trace-id": job.traceId,
      };
      waiting?.writeHead(200, headers).end(job.payload);
      waiting = undefined;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const tooLarge: FunctionError = {
  errorType: "Function.ResponseSizeTooLarge",
  errorMessage: `Response payload size exceeded maximum allowed payload size (${PAYLOAD_LIMIT} bytes).`,
};

function asError(body: string): FunctionError {
  try {
    return JSON.parse(body) as FunctionError;
  } catch {
    return { errorType: "Runtime.Unknown", errorMessage: body };
  }
}
