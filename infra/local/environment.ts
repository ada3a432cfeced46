import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { FunctionModel } from "./resources.ts";
import { type FunctionError, type Job, serveRuntimeApi } from "./runtime-api.ts";
import type { Watchdog } from "./watchdog.ts";

/** How an invocation ended. `killed` is a fault that was asked for. */
export type Outcome =
  | { readonly status: "ok"; readonly payload: string }
  | { readonly status: "error" | "timeout" | "killed"; readonly error: FunctionError };

/** One execution environment of a function: a process that serves one invocation at a time. */
export interface Environment {
  /** `true` between invocations, when it is frozen and can take one. */
  readonly idle: boolean;
  /** How many invocations it has taken. The first one is a cold start. */
  readonly taken: number;
  readonly ended: Promise<void>;
  run(job: Job): Promise<Outcome>;
  /** Stops the processor for so long, in the middle of whatever it does. */
  freeze(milliseconds: number): void;
  kill(): void;
}

/** What an environment needs besides its function. */
export interface Host {
  readonly variables: Readonly<Record<string, string>>;
  readonly watchdog: Watchdog;
  log(line: string): void;
}

const INIT_LIMIT = 10_000;
const standIn = fileURLToPath(new URL("rapid-client.cjs", import.meta.url));
const client = join(dirname(createRequire(import.meta.url).resolve("aws-lambda-ric/package.json")), "bin", "index.mjs");

/** Starts an execution environment: AWS's own runtime client with the function's bundle, in a process of its own. */
export async function startEnvironment(fn: FunctionModel, host: Host): Promise<Environment> {
  let state: "starting" | "idle" | "busy" | "ended" = "starting";
  let taken = 0;
  let current: { readonly job: Job; readonly settle: (outcome: Outcome) => void } | undefined;
  let end:
    | { readonly status: "error" | "timeout" | "killed"; readonly error: Omit<FunctionError, "trace"> }
    | undefined;
  /** Told to the caller when the runtime is through with the invocation, which it is when it asks for the next. */
  let reply: Outcome | undefined;
  let initError: FunctionError | undefined;
  let outOfMemory = false;
  let timer: NodeJS.Timeout | undefined;

  const take = (requestId: string, outcome: Outcome): void => {
    if (current?.job.requestId === requestId) reply ??= outcome;
  };
  const begin = (): void => {
    if (current === undefined) return;
    state = "busy";
    signal("SIGCONT");
    const seconds = fn.timeout.toFixed(2);
    limit(fn.timeout * 1_000, `Task timed out after ${seconds} seconds`);
    api.deliver(current.job, Date.now() + fn.timeout * 1_000);
  };
  const api = await serveRuntimeApi({
    ready() {
      clearTimeout(timer);
      if (state === "starting" && current !== undefined) return begin();
      state = "idle";
      signal("SIGSTOP");
      const served = current;
      current = undefined;
      if (reply !== undefined) served?.settle(reply);
      reply = undefined;
    },
    responded: (requestId, payload) => take(requestId, { status: "ok", payload }),
    failed: (requestId, error) => take(requestId, { status: "error", error }),
    initFailed(error) {
      initError = error;
    },
  });

  const child = launch(fn, api.address, host.variables);
  const { pid } = child;
  if (pid !== undefined) host.watchdog.watch(pid);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      outOfMemory ||= line.includes("JavaScript heap out of memory");
      if (!line.startsWith("Executing '")) host.log(line.replaceAll("\r", "\n"));
    });
  }

  /** The whole group: what the function has started stops, goes on and dies with it. */
  const signal = (name: NodeJS.Signals): void => {
    if (state === "ended" || pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {} // It has just ended by itself.
  };
  const limit = (milliseconds: number, errorMessage: string): void => {
    timer = setTimeout(() => {
      end ??= { status: "timeout", error: { errorType: "Sandbox.Timedout", errorMessage } };
      signal("SIGKILL");
    }, milliseconds);
  };
  limit(INIT_LIMIT, `Init timed out after ${(INIT_LIMIT / 1_000).toFixed(2)} seconds`);

  const ended = new Promise<void>((resolve) => {
    const finish = (reason: string): void => {
      if (state === "ended") return;
      state = "ended";
      clearTimeout(timer);
      api.close();
      const errorType = outOfMemory ? "Runtime.OutOfMemory" : "Runtime.ExitError";
      const { status, error } = end ?? { status: "error", error: { errorType, errorMessage: reason } };
      const errorMessage = `RequestId: ${current?.job.requestId} Error: ${error.errorMessage}`;
      if (current !== undefined && reply === undefined) host.log(errorMessage);
      current?.settle(reply ?? { status, error: initError ?? { ...error, errorMessage } });
      resolve();
    };
    child.once("error", (error) => finish(`Runtime did not start: ${error.message}`));
    child.once("close", (code, name) => finish(exitOf(code, name)));
    child.once("exit", (code, name) => {
      signal("SIGKILL"); // What the function has started and left behind, which also keeps its output open.
      if (pid !== undefined) host.watchdog.forget(pid);
      setTimeout(finish, 500, exitOf(code, name)).unref();
    });
  });

  return {
    get idle() {
      return state === "idle";
    },
    get taken() {
      return taken;
    },
    ended,
    run(job) {
      taken += 1;
      return new Promise((resolve) => {
        current = { job, settle: resolve };
        if (state === "idle") begin();
      });
    },
    freeze(milliseconds) {
      signal("SIGSTOP");
      setTimeout(() => state === "busy" && signal("SIGCONT"), milliseconds).unref();
    },
    kill() {
      end ??= { status: "killed", error: { errorType: "Runtime.ExitError", errorMessage: exitOf(null, "SIGKILL") } };
      signal("SIGKILL");
    },
  };
}

/** None of our own variables go in: least of all the credentials of a real account. */
function launch(fn: FunctionModel, address: string, variables: Host["variables"]): ChildProcess {
  const options = [`--max-old-space-size=${fn.memory}`, "--require", standIn];
  return spawn(process.execPath, [...options, client, fn.handler], {
    cwd: fn.code,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      LANG: "en_US.UTF-8",
      TZ: ":UTC",
      ...fn.environment,
      ...variables,
      AWS_LAMBDA_RUNTIME_API: address,
      AWS_LAMBDA_FUNCTION_NAME: fn.name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memory),
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: "local",
      ...(fn.logFormat === undefined ? {} : { AWS_LAMBDA_LOG_FORMAT: fn.logFormat }),
      ...(fn.logLevel === undefined ? {} : { AWS_LAMBDA_LOG_LEVEL: fn.logLevel }),
      AWS_EXECUTION_ENV: `AWS_Lambda_${fn.runtime}`,
      LAMBDA_TASK_ROOT: fn.code,
      _HANDLER: fn.handler,
    },
  });
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) {
    return `Runtime exited with error: signal: ${signal === "SIGKILL" ? "killed" : signal.slice(3).toLowerCase()}`;
  }
  return code === 0 ? "Runtime exited without providing a reason" : `Runtime exited with error: exit status ${code}`;
}
