/** `npm start`: the stack of cdk.out on this machine, until Ctrl-C. */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { readEvent } from "../demo/events.ts";
import { signToken } from "../demo/token.ts";
import type { ApiCall } from "./api.ts";
import type { RouteModel } from "./api-model.ts";
import type { Invocation } from "./functions.ts";
import { type LocalStack, startStack } from "./stack.ts";
import { synthesize } from "./synth.ts";
import { turnsOf } from "./turns.ts";

const USAGE = `npm start -- [options]
  --port <number>        of the API (3000)
  --cdk-out <folder>     what to run, as it is; without it cdk.out is written anew when it is older than its sources
  --stack <name>         where there is more than one
  --visibility <seconds> the longest visibility timeout of a queue (the template's)
  --logs                 print what the functions log`;

const OPTIONS = {
  port: { type: "string", default: "3000" },
  "cdk-out": { type: "string" },
  stack: { type: "string" },
  visibility: { type: "string" },
  logs: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** What a curl line sends where `events/` has no better. */
const ORDER = { orderId: "ord-1001", amount: 5590 };

async function main(): Promise<void> {
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true"; // Node 20 will do here.
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  const { "cdk-out": cdkOut = "cdk.out", stack: name, visibility, logs } = values;
  if (values["cdk-out"] === undefined) synthesize(cdkOut, console.log);

  const stack = await startStack({
    cdkOut,
    port: whole("port", values.port, 65_535),
    ...(name === undefined ? {} : { stack: name }),
    ...(visibility === undefined ? {} : { visibilityTimeout: whole("visibility", visibility, 43_200) }),
    onInvocation: (invocation) => console.log(invocationLine(invocation, stack)),
    onRequest: (call) => call.requestId === undefined && console.log(requestLine(call)),
    ...(logs ? { onLog: (id: string, line: string) => console.log(`${shortName(id)} | ${line}`) } : {}),
  });
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1); // Asked twice. The children end by themselves when we are gone.
      stopping = true;
      void stack.stop().finally(() => process.exit(0));
    });
  }
  console.log(introduction(stack));
}

function whole(option: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new Error(`--${option} is ${text}; allowed is a whole number from 0 to ${most}`);
}

function introduction(stack: LocalStack): string {
  const runtimes = [...new Set(stack.functions.map(({ runtime }) => runtime))].join(", ");
  const feeding = stack.queues.filter(({ consumer }) => consumer !== undefined);
  const message = readEvent("sqs").Records[0]?.body ?? "{}";
  return [
    `${stack.name} runs on this machine, with Node ${process.version} (the template says ${runtimes}).`,
    "",
    ...(stack.apiUrl === "" ? [] : [`API ${stack.apiUrl}`, ...stack.routes.map((route) => curl(route, stack)), ""]),
    ...feeding.flatMap(({ id, url, consumer = "" }) => [
      `Queue ${shortName(id)}, which feeds ${shortName(consumer)}: ${url}`,
      `  aws sqs send-message --endpoint-url ${stack.sqsUrl} --queue-url ${url} --message-body '${message}'`,
      `  curl -s ${stack.sqsUrl} -H 'content-type: application/x-amz-json-1.0' -H 'x-amz-target: AmazonSQS.SendMessage' \\`,
      `    -d '${JSON.stringify({ QueueUrl: url, MessageBody: message })}'`,
      "",
    ]),
    "Outputs",
    ...Object.entries(stack.outputs).map(([output, value]) => `  ${output} = ${value}`),
    `Not run here: ${stack.idle.join(", ") || "nothing is left out"}`,
    "",
    "Each invocation is a line below. Ctrl-C ends it all.",
  ].join("\n");
}

function curl({ method, path, authorizer, required }: RouteModel, stack: LocalStack): string {
  const body = ["POST", "PUT", "PATCH", "ANY"].includes(method);
  const headers = [
    ...(authorizer === undefined ? [] : [`authorization: Bearer ${bearer(stack)}`]),
    ...required
      .filter(({ in: place }) => place === "header")
      .map(({ name }) => `${name.toLowerCase()}: ${randomUUID()}`),
    ...(body ? ["content-type: application/json"] : []),
  ];
  const given = [...headers.map((header) => `-H '${header}'`), ...(body ? [`-d '${JSON.stringify(ORDER)}'`] : [])];
  const url = `${stack.apiUrl}${path === "/" || path === "$default" ? "/" : path}`;
  return [`  curl -i -X ${method === "ANY" ? "POST" : method} '${url}'`, ...given].join(" \\\n    ");
}

/** A token of the demo's authorizer, good for a day; a placeholder where the stack has another one. */
function bearer(stack: LocalStack): string {
  try {
    return signToken({ sub: "cus-7Qm3", exp: Math.floor(Date.now() / 1000) + 86_400 }, stack.secret("TokenSecret"));
  } catch {
    return "<token>";
  }
}

function invocationLine(
  { function: id, requestId, start, duration, outcome, cold, error }: Invocation,
  stack: LocalStack,
): string {
  const calls = stack.dynamodbCalls.filter((call) => call.requestId === requestId);
  const turns = turnsOf(calls);
  const told = [...new Set(turns)].map((turn) => {
    const count = turns.filter((other) => other === turn).length;
    return count === 1 ? turn : `${turn} x${count}`;
  });
  const parts = [
    new Date(start).toISOString().slice(11, 23),
    shortName(id).padEnd(12),
    outcome.padEnd(7),
    `${duration} ms`.padStart(8),
    cold ? "cold" : "warm",
    told.join(", "),
    calls.length === 0 ? "" : `(${calls.length} DynamoDB ${calls.length === 1 ? "request" : "requests"})`,
    error === undefined ? "" : `${error.errorType}: ${error.errorMessage}`,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function requestLine({ method, path, answer }: ApiCall): string {
  return `${new Date().toISOString().slice(11, 23)}  ${method} ${path} -> ${answer.status} by API Gateway, no function ran: ${answer.body}`;
}

/** A logical id without CDK's hash. */
function shortName(id: string): string {
  return id.replace(/[0-9A-F]{8}$/, "");
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
