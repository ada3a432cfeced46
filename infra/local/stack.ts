import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { startFauxqs } from "fauxqs";
import { type ApiCall, apiServer, serveApi } from "./api.ts";
import { isApi, type RouteModel } from "./api-model.ts";
import { readAssembly } from "./assembly.ts";
import { localConfig, startDynamoDBLocal } from "./dynamodb-local.ts";
import { type DynamoDBCall, type DynamoDBProxy, startDynamoDBProxy } from "./dynamodb-proxy.ts";
import { startSecretsExtension } from "./extension.ts";
import { type Answer, type Invocation, type LocalFunction, localFunction } from "./functions.ts";
import { type Listening, listen } from "./listen.ts";
import { type Named, pick } from "./names.ts";
import { createQueues, type Poller, startPoller } from "./queue.ts";
import type { FunctionModel } from "./resources.ts";
import { sqsProxy } from "./sqs-proxy.ts";
import { createTables } from "./tables.ts";
import { readTemplate, type StackModel } from "./template.ts";
import { startWatchdog } from "./watchdog.ts";

export interface StackOptions {
  /** What `cdk synth` has written. Default: `cdk.out`. */
  readonly cdkOut?: string;
  /** The stack's name, where there is more than one. */
  readonly stack?: string;
  /** Of the first API. Default: any free one. */
  readonly port?: number;
  /** Environments that a function may have at once; more are throttled. Default: 20. */
  readonly concurrency?: number;
  /** The longest visibility timeout in seconds, for those who cannot wait for the template's. Default: the template's. */
  readonly visibilityTimeout?: number;
  /** The longest that a function may run, in seconds, for those who cannot wait for the template's. Default: the template's. */
  readonly timeout?: number;
  /** What every function finds in its environment in place of what the template says, such as the URL of a stand-in. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Told of each invocation when it is over. */
  readonly onInvocation?: (invocation: Invocation) => void;
  /** Told of each HTTP request when it is answered. */
  readonly onRequest?: (call: ApiCall) => void;
  /** Told of each line that a function logs. */
  readonly onLog?: (functionId: string, line: string) => void;
}

/** A stack that runs on this machine. Names may be logical ids, with or without CDK's hash, or physical names. */
export interface LocalStack {
  readonly name: string;
  /** Of the first API, with its stage and without a slash at the end; empty where the stack has none. */
  readonly apiUrl: string;
  readonly sqsUrl: string;
  readonly routes: readonly RouteModel[];
  readonly outputs: Readonly<Record<string, string>>;
  /** Types of resources of the template that do nothing here. */
  readonly idle: readonly string[];
  readonly functions: readonly FunctionModel[];
  readonly queues: readonly LocalQueue[];
  readonly invocations: readonly Invocation[];
  /** The functions' requests to DynamoDB. */
  readonly dynamodbCalls: readonly DynamoDBCall[];
  /** Past the faults, straight to DynamoDB Local and fauxqs. */
  readonly clients: { readonly dynamodb: DynamoDBClient; readonly sqs: SQSClient };
  /** Also by the name of an output that is a queue's URL. */
  queueUrl(name: string): string;
  tableName(name: string): string;
  /** The text of a secret that the template generates. */
  secret(name: string): string;
  logs(functionName: string): readonly string[];
  invoke(functionName: string, event: unknown): Promise<Answer>;
  readonly faults: Faults;
  stop(): Promise<void>;
}

export interface LocalQueue extends Named {
  readonly url: string;
  /** Logical id of the function that it feeds. */
  readonly consumer?: string;
}

/** What can go wrong on demand. The DynamoDB ones strike the functions' requests, in the order in which they come. */
export interface Faults extends Pick<DynamoDBProxy, "dropResponse" | "throttle" | "delay" | "hold"> {
  /** Kills the environments in which the function runs at this moment; how many. */
  kill(functionName: string): number;
  /** Stops them in the middle of what they do for so long, and lets them go on; how many. */
  freeze(functionName: string, milliseconds: number): number;
  /** Lets the visibility timeouts pass of what the queue's function has failed on; how many messages. */
  redeliver(queueName: string): Promise<number>;
}

/** Real, since templates look things up by it. fauxqs knows no other account. */
const REGION = "eu-central-1";
const ACCOUNT = "000000000000";
const SESSION = "local";

/**
 * Runs a synthesized stack on this machine: tables on DynamoDB Local, queues on fauxqs, functions on AWS's runtime
 * client in processes of their own, APIs over HTTP. It ends with `stop()`, and with this process.
 *
 * @throws Error in one sentence for what is missing or in the way; or naming each resource that cannot run here.
 * @example
 * const stack = await startStack();
 * await fetch(`${stack.apiUrl}/orders`, { method: "POST", body: "{}" });
 * await stack.stop();
 */
export async function startStack(options: StackOptions = {}): Promise<LocalStack> {
  const stops: (() => unknown)[] = [];
  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.reverse()) await stop();
  };
  const stop = (): Promise<void> => {
    stopping ??= stopAll();
    return stopping;
  };
  try {
    return { ...(await start(options, (onStop) => stops.push(onStop))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: StackOptions, onStop: (stop: () => unknown) => void): Promise<Omit<LocalStack, "stop">> {
  const { port = 0, concurrency = 20, visibilityTimeout, timeout = Number.POSITIVE_INFINITY } = options;
  const assembly = readAssembly(options.cdkOut ?? "cdk.out", options.stack);

  const servers = new Map<string, { server: ReturnType<typeof apiServer>; listening: Listening }>();
  for (const [id, resource] of Object.entries(assembly.template.Resources)) {
    if (!isApi(resource)) continue;
    const server = apiServer();
    const listening = await listen(server, servers.size === 0 ? port : 0);
    onStop(listening.close);
    servers.set(id, { server, listening });
  }
  const fauxqs = await startFauxqs({ port: 0, logger: false, defaultRegion: REGION });
  onStop(fauxqs.stop);
  const proxied = sqsProxy(fauxqs.port, () => sqsUrl, `http://sqs.${REGION}.localhost:${fauxqs.port}`);
  const { url: sqsUrl, close: closeSqs } = await listen(proxied);
  onStop(closeSqs);
  const queueUrl = (name: string): string => `${sqsUrl}/${ACCOUNT}/${name}`;
  const apiUrl = (id: string): string => servers.get(id)?.listening.url ?? "";
  const model = readTemplate(assembly, { region: REGION, account: ACCOUNT, queueUrl, apiUrl });

  const local = await startDynamoDBLocal();
  onStop(local.stop);
  const dynamodb = local.client();
  onStop(() => dynamodb.destroy());
  const current = new Map<string, string>();
  const proxy = await startDynamoDBProxy(local.endpoint, (accessKey) => current.get(accessKey));
  onStop(proxy.close);
  const extension = await startSecretsExtension(() => model.secrets, SESSION);
  onStop(extension.close);
  await createTables(dynamodb, model.tables);
  createQueues(fauxqs, REGION, model.queues, visibilityTimeout);
  const sqs = new SQSClient({ ...localConfig, region: REGION, endpoint: sqsUrl });
  onStop(() => sqs.destroy());

  const invocations: Invocation[] = [];
  const watchdog = startWatchdog();
  onStop(watchdog.stop);
  const functions = model.functions.map((fn) =>
    localFunction(
      { ...fn, timeout: Math.min(fn.timeout, timeout), environment: { ...fn.environment, ...options.environment } },
      {
        watchdog,
        concurrency,
        variables: (accessKey) => ({
          AWS_REGION: REGION,
          AWS_DEFAULT_REGION: REGION,
          AWS_ACCESS_KEY_ID: accessKey,
          AWS_SECRET_ACCESS_KEY: "local",
          AWS_SESSION_TOKEN: SESSION,
          AWS_ENDPOINT_URL_DYNAMODB: proxy.url,
          AWS_ENDPOINT_URL_SQS: sqsUrl,
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
          PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String(extension.port),
        }),
        began: (accessKey, requestId) => current.set(accessKey, requestId),
        finished(invocation) {
          invocations.push(invocation);
          options.onInvocation?.(invocation);
        },
        logged: (id, line) => options.onLog?.(id, line),
      },
    ),
  );
  const byArn = (arn: string): LocalFunction => functionFor(functions, arn);
  const pollers = startPollers(model, (arn) => byArn(arn).invoke, { client: sqs, region: REGION, queueUrl });
  // Together: a poller waits for its function, which ends by being killed.
  onStop(() => Promise.all([...pollers, ...functions].map((part) => part.stop())));

  for (const api of model.apis) {
    for (const { target } of api.routes) if (target.kind === "lambda") byArn(target.functionArn);
    const { server } = servers.get(api.id) ?? {};
    const invoke = (arn: string, payload: string): Promise<Answer> => byArn(arn).invoke(payload);
    const answered = (call: ApiCall): void => options.onRequest?.(call);
    if (server !== undefined) serveApi(server, api, { region: REGION, account: ACCOUNT, invoke, answered });
  }

  const named = (name: string): LocalFunction => pickFunction(functions, name);
  const [first] = model.apis;
  const [stage] = first?.stages ?? [];
  return {
    name: assembly.stackName,
    apiUrl: first === undefined ? "" : `${apiUrl(first.id)}${stage?.name === "$default" ? "" : `/${stage?.name}`}`,
    sqsUrl,
    routes: model.apis.flatMap(({ routes }) => routes),
    outputs: model.outputs,
    idle: model.idle,
    functions: model.functions,
    queues: model.queues.map(({ id, name, arn }) => {
      const mapping = model.mappings.find(({ queueArn }) => queueArn === arn);
      const consumer = mapping === undefined ? {} : { consumer: byArn(mapping.functionArn).model.id };
      return { id, name, url: queueUrl(name), ...consumer };
    }),
    invocations,
    dynamodbCalls: proxy.calls,
    clients: { dynamodb, sqs },
    queueUrl: (name) => model.outputs[name] ?? queueUrl(pick("queue", model.queues, name).name),
    tableName: (name) => model.outputs[name] ?? pick("table", model.tables, name).name,
    secret: (name) => pick("secret", model.secrets, name).text,
    logs: (name) => named(name).logs,
    invoke: (name, event) => named(name).invoke(JSON.stringify(event)),
    faults: {
      dropResponse: proxy.dropResponse,
      throttle: proxy.throttle,
      delay: proxy.delay,
      hold: proxy.hold,
      kill: (name) => named(name).kill(),
      freeze: (name, milliseconds) => named(name).freeze(milliseconds),
      async redeliver(name) {
        const { id } = pick("queue", model.queues, name);
        const given = await Promise.all(
          pollers.filter(({ queueId }) => queueId === id).map((poller) => poller.redeliver()),
        );
        return given.reduce((sum, count) => sum + count, 0);
      },
    },
  };
}

interface PollerPlaces {
  readonly client: SQSClient;
  readonly region: string;
  queueUrl(name: string): string;
}

function startPollers(
  model: StackModel,
  invoker: (arn: string) => LocalFunction["invoke"],
  places: PollerPlaces,
): Poller[] {
  return model.mappings
    .filter(({ enabled }) => enabled)
    .map((mapping) => {
      const queue = model.queues.find(({ arn }) => arn === mapping.queueArn);
      if (queue === undefined)
        throw new Error(`${mapping.id} reads ${mapping.queueArn}, which is no queue of the stack`);
      const invoke = invoker(mapping.functionArn);
      return startPoller(mapping, { ...places, queue, queueUrl: places.queueUrl(queue.name), invoke });
    });
}

/** By ARN, with or without a version or an alias, or by name. */
function functionFor(functions: readonly LocalFunction[], arn: string): LocalFunction {
  const name = arn.startsWith("arn:") ? arn.split(":")[6] : arn.split(":")[0];
  const found = functions.find(({ model }) => model.name === name);
  if (found === undefined) throw new Error(`the template leads to ${arn}, which is no function of the stack`);
  return found;
}

function pickFunction(functions: readonly LocalFunction[], meant: string): LocalFunction {
  const { id } = pick<Named>(
    "function",
    functions.map(({ model }) => model),
    meant,
  );
  return functions.find(({ model }) => model.id === id) as LocalFunction;
}
