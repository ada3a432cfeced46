import type { RequestOptions } from "node:http";
import { isUnheard } from "../../core/sendings.ts";
import type { Operation, Operations, Transport } from "../transport.ts";
import { read } from "./answer.ts";
import { toBody } from "./body.ts";
import { fromContainer, hasContainer } from "./container.ts";
import { credentialCache } from "./credentials.ts";
import { cures } from "./cure.ts";
import { type Place, placeOf } from "./endpoint.ts";
import { exchange, lineTo } from "./exchange.ts";
import { type Failure, failure } from "./failure.ts";
import type { LightSettings } from "./options.ts";
import { fromEnvironment, type LightCredentialProvider, noCredentials } from "./provider.ts";
import { type Again, again, retryBudget } from "./retry.ts";
import type { LightRuntime } from "./runtime.ts";
import { signed } from "./signer.ts";

/** Carries requests to DynamoDB over connections that are kept. */
export interface LightClient extends Transport {
  /** Opens a connection, TLS included, and gets the credentials. Never throws: what fails now, the first request tries again. */
  prewarm(): Promise<void>;
  /** Closes all connections. A request that is under way fails, and later ones do. */
  destroy(): void;
}

/** The most that an answer may hold: DynamoDB's own limit for one request. */
const LIMIT = 16 * 1024 * 1024;
/** Milliseconds that a pause is longer at most where an answer asks for that, as the SDK's are. */
const LONGER = 5_000;

/**
 * A client by settings. It sends a request again where its outcome is unknown, although DynamoDB may have
 * carried it out. No function runs twice by that: each of the store's writes has a condition that fails on
 * its own repetition, and the record that comes back then shows whose write it was.
 */
export function connect(settings: LightSettings, runtime: LightRuntime): LightClient {
  const place = settings.region === undefined ? undefined : placeOf(settings.region, settings);
  const line = lineTo(place?.protocol ?? "https:");
  const credentials = credentialCache(settings.provider ?? ownCredentials(runtime), runtime);
  const budget = retryBudget(runtime.random);
  const cure = cures({ line, credentials, runtime });
  let destroyed = false;

  const where = (): Place => {
    if (destroyed) throw gone();
    if (place === undefined) throw failure("Error", "Region is missing");
    return place;
  };
  const options = (
    { hostname, servername, port, path }: Place,
    method: string,
    headers: RequestOptions["headers"],
  ) => ({
    ...{ hostname, servername, port, path, method, headers },
  });

  /** One attempt; `error` is whatever kept it from an output, and `cured` says that to send it anew is no retry. */
  const attempt = async (operation: Operation, body: string, cured: Set<string>) => {
    const to = where();
    const held = credentials.current();
    const pair = held instanceof Promise ? await unlessGone(held) : held;
    const at = runtime.now() + cure.offset();
    const headers = signed(to, { operation, body, at }, pair);
    const sent = { body, limit: LIMIT, patience: settings.patience, runtime };
    const answer = await exchange(line, options(to, "POST", headers), sent);
    const outcome = "error" in answer ? answer : read(answer);
    if ("output" in outcome) return outcome;
    const { error } = outcome;
    return { error, cured: !destroyed && (await cure.find({ error, answer, at, pair }, cured)) };
  };

  /** What `work` gives, unless the client is destroyed before. */
  const unlessGone = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const stop = (): void => reject(gone());
      line.open.add(stop);
      work.then(resolve, reject).finally(() => line.open.delete(stop));
    });

  const pauseBefore = (next: number, error: Failure, why: Again | undefined): number => {
    const pause = why === undefined || next > settings.attempts || destroyed ? undefined : budget.spend(why, next);
    if (pause === undefined) throw error;
    return Math.max(pause, Math.min(error.$metadata?.retryAfter ?? 0, pause + LONGER));
  };

  return {
    async send<O extends Operation>(operation: O, input: Operations[O]["input"]): Promise<Operations[O]["output"]> {
      const body = toBody(input);
      const cured = new Set<string>();
      let last: Again | undefined;
      const unheard: Failure[] = [];
      const fail = (error: Failure): never => {
        throw afterUnheard(error, unheard);
      };
      for (let number = 1; ; ) {
        const outcome = await attempt(operation, body, cured).catch(fail);
        const why = "output" in outcome ? undefined : again(outcome.error);
        if (why === undefined) budget.answered(last);
        if ("output" in outcome) return outcome.output as Operations[O]["output"];
        const error = afterUnheard(outcome.error, unheard);
        if (isUnheard(outcome.error)) unheard.push(outcome.error);
        if (outcome.cured) continue;
        number += 1;
        await unlessGone(runtime.sleep(pauseBefore(number, error, why))).catch(fail);
        last = why;
      }
    },
    region: async () => settings.region,
    async prewarm() {
      const open = async () => {
        const to = where();
        await exchange(line, options(to, "GET", ["Host", to.host]), {
          limit: LIMIT,
          patience: settings.patience,
          runtime,
        });
      };
      const sign = async () =>
        signed(where(), { operation: "GetItem", body: "", at: runtime.now() }, await credentials.current());
      await Promise.allSettled([open(), sign()]);
    },
    destroy() {
      destroyed = true;
      line.end();
    },
  };
}

const gone = (): Failure => failure("ClientDestroyed", "the client was destroyed", { $metadata: { sent: false } });

/**
 * An error that says of a request what became of all of its sendings: an answer to the last one says nothing of those before
 * it that nobody heard of. Another error, since other requests may have this one, too.
 */
function afterUnheard(error: Failure, unheard: readonly Failure[]): Failure {
  if (unheard.length === 0) return error;
  const $metadata = { ...error.$metadata, sent: undefined, attempts: unheard.length + 1 };
  return failure(error.name, error.message, { ...error, $metadata, cause: unheard.at(-1) });
}

const ownCredentials =
  (runtime: LightRuntime): LightCredentialProvider =>
  () => {
    const found = fromEnvironment(process.env);
    if (found !== undefined) return found;
    if (hasContainer(process.env)) return fromContainer(process.env, runtime);
    throw noCredentials("there are no credentials in the environment, and no container endpoint gives them");
  };
