import { randomUUID } from "node:crypto";
import { type Environment, type Outcome, startEnvironment } from "./environment.ts";
import type { FunctionModel } from "./resources.ts";
import { type FunctionError, PAYLOAD_LIMIT } from "./runtime-api.ts";
import type { Watchdog } from "./watchdog.ts";

/** One invocation, as it stands in the log when it is over. */
export interface Invocation {
  /** Logical id of the function. */
  readonly function: string;
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly start: number;
  /** Milliseconds, with the cold start. */
  readonly duration: number;
  /** `killed` by a fault that was asked for; `throttled` where no environment was free and no more are allowed. */
  readonly outcome: Outcome["status"] | "throttled";
  /** Whether the environment was started for it. */
  readonly cold: boolean;
  readonly error?: FunctionError;
}

/** What the caller of a function gets. */
export type Answer = (Outcome | { readonly status: "throttled" | "too large" }) & { readonly requestId: string };

/** A function of the stack, with its environments. */
export interface LocalFunction {
  readonly model: FunctionModel;
  readonly logs: readonly string[];
  invoke(payload: string): Promise<Answer>;
  /** Kills the environments that are serving now; how many. */
  kill(): number;
  /** Freezes the environments that are serving now; how many. */
  freeze(milliseconds: number): number;
  stop(): Promise<void>;
}

export interface FunctionHost {
  /** What its environments find in theirs, besides what the template says. */
  variables(accessKey: string): Readonly<Record<string, string>>;
  readonly watchdog: Watchdog;
  /** Environments that a function without reserved concurrency may have at once. */
  readonly concurrency: number;
  /** An environment, known by its access key, begins an invocation. */
  began(accessKey: string, requestId: string): void;
  finished(invocation: Invocation): void;
  logged(functionId: string, line: string): void;
}

const LOG_LIMIT = 10_000;

/** Runs a function as Lambda does: a free environment if there is one, else a new one, up to a limit. */
export function localFunction(model: FunctionModel, host: FunctionHost): LocalFunction {
  const limit = Math.min(model.reservedConcurrency ?? host.concurrency, host.concurrency);
  const environments = new Map<Environment, string>();
  const logs: string[] = [];
  let started = 0;
  let starting = 0;
  let stopped = false;

  const log = (line: string): void => {
    logs.push(line);
    if (logs.length > LOG_LIMIT) logs.shift();
    host.logged(model.id, line);
  };

  const start = async (): Promise<Environment> => {
    starting += 1;
    started += 1;
    const accessKey = `${model.id}${started}`.replace(/[^A-Za-z0-9]/g, ""); // All that DynamoDB Local takes.
    try {
      const variables = host.variables(accessKey);
      const environment = await startEnvironment(model, { variables, watchdog: host.watchdog, log });
      environments.set(environment, accessKey);
      void environment.ended.then(() => environments.delete(environment));
      if (stopped) environment.kill();
      return environment;
    } finally {
      starting -= 1;
    }
  };

  /** The one that was used last is taken first, so that the others stay cold. */
  const acquire = (): Environment | Promise<Environment> | undefined => {
    const free = [...environments.keys()].filter(({ idle }) => idle).at(-1);
    if (free !== undefined) return free;
    return !stopped && environments.size + starting < limit ? start() : undefined;
  };

  const invoke = async (payload: string): Promise<Answer> => {
    const requestId = randomUUID();
    const at = { function: model.id, requestId, start: Date.now() };
    if (Buffer.byteLength(payload) > PAYLOAD_LIMIT) return { status: "too large", requestId };
    const acquired = acquire();
    if (acquired === undefined) {
      host.finished({ ...at, duration: 0, outcome: "throttled", cold: false });
      return { status: "throttled", requestId };
    }
    const begun = performance.now();
    // A free environment is taken in the same turn in which it was found.
    const environment = acquired instanceof Promise ? await acquired : acquired;
    const cold = environment.taken === 0;
    host.began(environments.get(environment) ?? "", requestId);
    const traceId = `Root=1-${Math.floor(at.start / 1_000).toString(16)}-${requestId.replaceAll("-", "").slice(0, 24)}`;
    const outcome = await environment.run({ requestId, payload, functionArn: model.arn, traceId });
    const duration = Math.round(performance.now() - begun);
    const error = outcome.status === "ok" ? {} : { error: outcome.error };
    host.finished({ ...at, duration, outcome: outcome.status, cold, ...error });
    return { ...outcome, requestId };
  };

  const serving = (): readonly Environment[] => [...environments.keys()].filter(({ idle }) => !idle);
  return {
    model,
    logs,
    invoke,
    kill() {
      const busy = serving();
      for (const environment of busy) environment.kill();
      return busy.length;
    },
    freeze(milliseconds) {
      const busy = serving();
      for (const environment of busy) environment.freeze(milliseconds);
      return busy.length;
    },
    async stop() {
      stopped = true;
      const all = [...environments.keys()];
      for (const environment of all) environment.kill();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
