import { type Failure, failure } from "./failure.ts";

/** A pair of AWS credentials. */
export interface LightCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** When they cease to be accepted; without it they are kept until a request is refused for them. */
  readonly expiration?: Date | undefined;
}

/** Gives credentials whenever it is asked: one of the SDK's credential providers, or a function of your own. */
export type LightCredentialProvider = () => LightCredentials | Promise<LightCredentials>;

/** There are no credentials. Never says what was given: it is a secret, or near one. */
export const noCredentials = (why: string, cause?: unknown): Failure =>
  failure("CredentialsProviderError", why, cause === undefined ? {} : { cause });

/** Visible ASCII: what a header can carry, and all that AWS issues. */
const isToken = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]+$/.test(value);

/**
 * What a provider gave, checked before it gets into a header.
 *
 * @throws Error named CredentialsProviderError, which says what is wrong and not what was given.
 */
export function checkCredentials(given: unknown): LightCredentials {
  const { accessKeyId, secretAccessKey, sessionToken: token, expiration } = (given ?? {}) as Record<string, unknown>;
  // As the environment may hold one that says nothing.
  const sessionToken = token === "" ? undefined : token;
  for (const [name, value] of Object.entries({ accessKeyId, secretAccessKey })) {
    if (!isToken(value)) throw noCredentials(`${name} is missing, or not visible ASCII characters`);
  }
  if (sessionToken !== undefined && !isToken(sessionToken)) {
    throw noCredentials("sessionToken is not visible ASCII characters");
  }
  if (expiration !== undefined && !(expiration instanceof Date && Number.isFinite(expiration.getTime()))) {
    throw noCredentials("expiration is not a Date");
  }
  return { accessKeyId, secretAccessKey, sessionToken, expiration } as LightCredentials;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The credentials that Lambda puts into the environment. `undefined` where there are none. */
export function fromEnvironment(environment: Environment): LightCredentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = environment;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: AWS_SESSION_TOKEN || undefined };
}
