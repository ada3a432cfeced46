import type { RequestOptions } from "node:http";
import { isUnheard, NOT_SENT } from "../../core/sendings.ts";
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
    if (destroyed) throw failure("ClientDestroyed", "the client was destroyed", { code: NOT_SENT });
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
    where();
    const pair = await credentials.current();
    // Looked for again: the client may have been destroyed meanwhile.
    const to = where();
    const at = runtime.now() + cure.offset();
    const headers = signed(to, { operation, body, at }, pair);
    const sent = { body, limit: LIMIT, patience: settings.patience, runtime };
    const answer = await exchange(line, options(to, "POST", headers), sent);
    const outcome = "error" in answer ? answer : read(answer);
    if ("output" in outcome) return outcome;
    const { error } = outcome;
    return { error, cured: await cure.find({ error, answer, at, pair }, cured) };
  };

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
      let unheard = 0;
      for (let number = 1; ; ) {
        const outcome = await attempt(operation, body, cured).catch((error: Failure) => {
          throw unheard === 0 ? error : afterUnheard(error, unheard);
        });
        const why = "output" in outcome ? undefined : again(outcome.error);
        if (why === undefined) budget.answered(last);
        if ("output" in outcome) return outcome.output as Operations[O]["output"];
        const error = unheard === 0 ? outcome.error : afterUnheard(outcome.error, unheard);
        if (isUnheard(outcome.error)) unheard += 1;
        if (outcome.cured) continue;
        number += 1;
        await runtime.sleep(pauseBefore(number, error, why));
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

/** An answer to the last sending says nothing of those before it that were not answered. Other requests may have the same error. */
function afterUnheard(error: Failure, unheard: number): Failure {
  const $metadata = { ...error.$metadata, attempts: unheard + 1 };
  return failure(error.name, error.message, { ...error, $metadata, cause: error });
}

const ownCredentials =
  (runtime: LightRuntime): LightCredentialProvider =>
  () => {
    const found = fromEnvironment(process.env);
    if (found !== undefined) return found;
    if (hasContainer(process.env)) return fromContainer(process.env, runtime);
    throw noCredentials("there are no credentials in the environment, and no container endpoint gives them");
  };
