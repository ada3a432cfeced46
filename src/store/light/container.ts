import { exchange, lineTo } from "./exchange.ts";
import { type LightCredentials, noCredentials } from "./provider.ts";
import type { LightRuntime } from "./runtime.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Of ECS, and of EKS by IPv4 and IPv6. */
const HOSTS: ReadonlySet<string> = new Set(["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "[::1]"]);
const PATIENCE = { connect: 1_000, answer: 1_000 } as const;
const LIMIT = 65_536;
const ATTEMPTS = 3;

/** Whether the environment names an endpoint that gives credentials: under ECS, EKS and Lambda's SnapStart. */
export const hasContainer = (environment: Environment): boolean => uriOf(environment) !== undefined;

const uriOf = (environment: Environment): string | undefined => {
  const relative = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  return relative ? `http://169.254.170.2${relative}` : environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] || undefined;
};

/**
 * The credentials that the container's endpoint gives.
 *
 * @throws Error named CredentialsProviderError.
 */
export async function fromContainer(environment: Environment, runtime: LightRuntime): Promise<LightCredentials> {
  const url = checkUrl(uriOf(environment));
  const headers = { Host: url.host, ...(await authorization(environment)) };
  const { hostname, port, pathname, search } = url;
  const options = { hostname: hostname.replace(/^\[|\]$/g, ""), port, path: pathname + search, headers };
  const line = lineTo(url.protocol);
  try {
    for (let attempt = 1; ; attempt++) {
      const answer = await exchange(line, options, { limit: LIMIT, patience: PATIENCE, runtime });
      if ("status" in answer && answer.status === 200) return read(answer.body);
      const failed = "status" in answer ? `answered with status ${answer.status}` : `failed (${answer.error.message})`;
      const final = "status" in answer && answer.status < 500;
      if (final || attempt === ATTEMPTS) throw noCredentials(`the container's credentials endpoint ${failed}`);
      await runtime.sleep(runtime.random() * 50 * 2 ** attempt);
    }
  } finally {
    line.end();
  }
}

/** The token goes nowhere but to this machine, or out encrypted. */
function checkUrl(uri: string | undefined): URL {
  const url = URL.canParse(uri ?? "") ? new URL(uri ?? "") : undefined;
  const here = url?.protocol === "http:" && (HOSTS.has(url.hostname) || /^127\.\d+\.\d+\.\d+$/.test(url.hostname));
  if (url !== undefined && (here || url.protocol === "https:")) return url;
  throw noCredentials(
    "AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI names no endpoint that is allowed: https, loopback, or one of ECS or EKS",
  );
}

async function authorization(environment: Environment): Promise<{ Authorization?: string }> {
  const file = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  const token = file ? await contents(file) : environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
  if (!token) return {};
  if (/[^\x20-\x7e]/.test(token)) throw noCredentials("the container's authorization token holds a line break");
  return { Authorization: token };
}

/** Read anew each time: it is replaced while the container runs. */
async function contents(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  try {
    return (await readFile(file, "utf8")).trimEnd();
  } catch (error) {
    throw noCredentials("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read", error);
  }
}

function read(body: Buffer): LightCredentials {
  try {
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = JSON.parse(body.toString());
    const expiration = Expiration == null ? undefined : new Date(Expiration);
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token, expiration };
  } catch {
    throw noCredentials("the container's credentials endpoint did not answer with credentials");
  }
}
