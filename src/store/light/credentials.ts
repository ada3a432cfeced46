import { checkCredentials, type LightCredentialProvider, type LightCredentials, noCredentials } from "./provider.ts";
import type { LightRuntime } from "./runtime.ts";

/** Milliseconds before their end at which credentials are replaced. */
const EARLY = 5 * 60_000;
/** Milliseconds after which a renewal that failed is tried again, while the old credentials are still good. */
const RENEW_AGAIN = 10_000;
/** Milliseconds that a provider may take. */
const PROVIDER_PATIENCE = 5_000;

/** Credentials as long as they are good. */
export interface CredentialCache {
  /** Those that are held, or new ones. All who ask meanwhile wait for the same renewal. */
  current(): LightCredentials | Promise<LightCredentials>;
  /** Renews those that a request was refused for; whether there are others now. */
  renew(refused: LightCredentials): Promise<boolean>;
}

interface Held {
  readonly credentials: LightCredentials;
  readonly renewAt: number;
}

/**
 * Keeps what a provider gives until five minutes before it expires.
 *
 * @throws Error named CredentialsProviderError, from both functions.
 */
export function credentialCache(provider: LightCredentialProvider, runtime: LightRuntime): CredentialCache {
  let held: Held | undefined;
  let renewal: Promise<LightCredentials> | undefined;

  const hold = (credentials: LightCredentials): LightCredentials => {
    const ends = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    // Of credentials that end soon anyway, half of their time: else each request would ask anew.
    held = { credentials, renewAt: ends - Math.min(EARLY, Math.max(0, ends - runtime.now()) / 2) };
    return credentials;
  };
  const ask = async (): Promise<LightCredentials> => {
    try {
      return hold(checkCredentials(await inTime(provider, runtime)));
    } catch (error) {
      const old = held?.credentials;
      const ends = old?.expiration?.getTime() ?? 0;
      if (old === undefined || ends <= runtime.now()) throw typed(error);
      held = { credentials: old, renewAt: Math.min(runtime.now() + RENEW_AGAIN, ends) };
      return old;
    } finally {
      renewal = undefined;
    }
  };
  const renewed = (): Promise<LightCredentials> => {
    renewal ??= ask();
    return renewal;
  };

  return {
    current: () => (held !== undefined && runtime.now() < held.renewAt ? held.credentials : renewed()),
    async renew(refused) {
      // Somebody else has been refused, and has renewed them, meanwhile.
      if (held !== undefined && !areSame(held.credentials, refused)) return true;
      held = undefined;
      return !areSame(await renewed(), refused);
    },
  };
}

const areSame = (a: LightCredentials, b: LightCredentials): boolean =>
  a.accessKeyId === b.accessKeyId && a.secretAccessKey === b.secretAccessKey && a.sessionToken === b.sessionToken;

function inTime(provider: LightCredentialProvider, { alarm }: LightRuntime): Promise<LightCredentials> {
  return new Promise((resolve, reject) => {
    const late = alarm(PROVIDER_PATIENCE, () =>
      reject(noCredentials(`the credentials did not come within ${PROVIDER_PATIENCE} ms`)),
    );
    const give = async () => provider();
    give().then(resolve, reject).finally(late);
  });
}

function typed(error: unknown): unknown {
  const { name } = (error ?? {}) as { name?: unknown };
  return name === "CredentialsProviderError" ? error : noCredentials("the function for credentials failed", error);
}
