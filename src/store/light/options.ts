import { checkNames, refuseValue } from "../../core/check.ts";
import type { Duration } from "../../core/duration.ts";
import { show, toMillis } from "../../core/duration.ts";
import { IdempotencyConfigError } from "../../core/errors.ts";
import { checkText } from "../options.ts";
import type { Patience } from "./exchange.ts";
import type { LightCredentialProvider, LightCredentials } from "./provider.ts";

/** Where DynamoDB is, who asks, and how long a request may take. All optional. */
export interface LightClientOptions {
  /** Else the environment variable AWS_REGION, which Lambda sets, or AWS_DEFAULT_REGION. */
  readonly region?: string | undefined;
  /** Such as `http://localhost:8000`. Else AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, or the region's own. */
  readonly endpoint?: string | undefined;
  /** Or a function that gives them. Else the environment's, or those of the container's endpoint. */
  readonly credentials?: LightCredentials | LightCredentialProvider | undefined;
  /** The region's endpoint with validated cryptography. Else AWS_USE_FIPS_ENDPOINT. Not together with `endpoint`. */
  readonly useFips?: boolean | undefined;
  /** Until there is a connection, TLS included. Default: 1 second. */
  readonly connectTimeout?: Duration | undefined;
  /** Of one attempt, from its beginning to the end of the answer. Default: 2 seconds. */
  readonly requestTimeout?: Duration | undefined;
  /** The first one included, 1 to 10. Default: 3. */
  readonly maxAttempts?: number | undefined;
}

/** Checked, with the environment's in the place of what was not given. */
export interface LightSettings {
  readonly region: string | undefined;
  readonly endpoint: URL | undefined;
  readonly fips: boolean;
  readonly provider: LightCredentialProvider | undefined;
  readonly patience: Patience;
  readonly attempts: number;
}

const LIGHT_OPTIONS = [
  "region",
  "endpoint",
  "credentials",
  "useFips",
  "connectTimeout",
  "requestTimeout",
  "maxAttempts",
] as const satisfies readonly (keyof LightClientOptions)[];

/**
 * The settings that options and environment make together.
 *
 * @throws IdempotencyConfigError for what cannot be used, naming `caller`.
 */
export function checkLightOptions(caller: string, options: LightClientOptions): LightSettings {
  checkNames(`${caller}()`, options, LIGHT_OPTIONS);
  const { credentials, connectTimeout = { seconds: 1 }, requestTimeout = { seconds: 2 }, maxAttempts = 3 } = options;
  const fips = isOn(caller, options.useFips, "AWS_USE_FIPS_ENDPOINT");
  const endpoint = checkEndpoint(caller, options.endpoint);
  const region = checkRegion(caller, options.region);
  if (fips && (endpoint !== undefined || region === "local")) {
    throw new IdempotencyConfigError(`${caller}() was given both an endpoint and FIPS; allowed is one of them`);
  }
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > 10) {
    refuseValue(`${caller}(): maxAttempts`, maxAttempts, "is 1 to 10");
  }
  return {
    region,
    endpoint,
    fips,
    provider: checkProvider(caller, credentials),
    patience: {
      connect: toMillis(connectTimeout, `${caller}(): connectTimeout`),
      answer: toMillis(requestTimeout, `${caller}(): requestTimeout`),
    },
    attempts: maxAttempts,
  };
}

/** The first of these environment variables that is not empty, and its name. */
function fromEnvironment(...names: readonly string[]): readonly [string, string] | undefined {
  const name = names.find((one) => process.env[one]);
  return name === undefined ? undefined : [`the environment variable ${name}`, process.env[name] as string];
}

/** Whether the option or, without it, a variable of the environment says so. */
function isOn(caller: string, option: unknown, variable: string): boolean {
  if (typeof option === "boolean") return option;
  const [source, given] = option === undefined ? (fromEnvironment(variable) ?? ["", "false"]) : ["useFips", option];
  const text = option === undefined ? String(given).toLowerCase() : "";
  if (text === "true" || text === "false") return text === "true";
  return refuseValue(`${caller}(): ${source}`, given, "is true or false");
}

function checkRegion(caller: string, given: unknown): string | undefined {
  const found =
    given === undefined ? fromEnvironment("AWS_REGION", "AWS_DEFAULT_REGION") : (["region", given] as const);
  if (found === undefined) return undefined;
  const [source, region] = found;
  // It becomes a part of a host name.
  if (typeof region === "string" && /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/.test(region)) return region;
  return refuseValue(`${caller}(): ${source}`, region, "is the name of an AWS region, such as 'eu-central-1'");
}

function checkEndpoint(caller: string, option: unknown): URL | undefined {
  const allowed = "a URL without user name, query and fragment, such as 'http://localhost:8000'";
  const given = checkText(caller, "endpoint", option, allowed);
  const ignored = given === undefined && isOn(caller, undefined, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
  const configured = ignored ? undefined : fromEnvironment("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL");
  const found = given === undefined ? configured : (["endpoint", given] as const);
  if (found === undefined) return undefined;
  const [source, text] = found;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && !/[@?#]/.test(text)) return url;
  const shown = text.includes("@") ? "no endpoint, or one with a password" : show(text);
  throw new IdempotencyConfigError(`${caller}(): ${source} is ${shown}; allowed is ${allowed}`);
}

function checkProvider(caller: string, given: LightClientOptions["credentials"]): LightCredentialProvider | undefined {
  if (given === undefined || typeof given === "function") return given;
  if (typeof given === "object" && given !== null) return () => given;
  const allowed = "{ accessKeyId, secretAccessKey, sessionToken? } or a function that gives it";
  throw new IdempotencyConfigError(`${caller}(): credentials is ${typeof given}; allowed is ${allowed}`);
}
