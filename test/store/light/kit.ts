import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { connect, type LightClient } from "../../../src/store/light/connect.ts";
import { checkLightOptions, type LightClientOptions } from "../../../src/store/light/options.ts";
import { type LightRuntime, lightRuntime } from "../../../src/store/light/runtime.ts";

/** A request as it came. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The client's port: one for each connection. */
  readonly from: number;
}

/** Answers one request, or does something else with it. */
export type Reply = (response: ServerResponse, request: IncomingMessage) => void;

/** Answers with JSON. */
export const json =
  (status: number, value: unknown, headers: Readonly<Record<string, string | number>> = {}): Reply =>
  (response) => {
    const body = typeof value === "string" ? value : JSON.stringify(value);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.0", ...headers }).end(body);
  };

/** Refuses with DynamoDB's exception `type`. */
export const refusal = (type: string, more: object = {}, status = 400, headers = {}): Reply =>
  json(status, { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: `${type} (injected)`, ...more }, headers);

/** Ends the connection without an answer. */
export const hangUp: Reply = (_, request) => void request.socket.destroy();

/** Never answers. */
export const silence: Reply = () => {};

export interface ScriptedServer {
  readonly endpoint: string;
  readonly sent: readonly Sent[];
  /** Ends all connections, idle or not. */
  hangUpAll(): void;
}

/** A server that gives its replies one after the other, and the last one for ever. It ends with the test. */
export async function serve(...replies: readonly Reply[]): Promise<ScriptedServer> {
  const sent: Sent[] = [];
  const server = createServer(async (request, response) => {
    const reply = replies[Math.min(sent.length, replies.length - 1)] ?? json(200, {});
    const { method = "", url: path = "", headers, socket } = request;
    const at = sent.push({ method, path, headers, body: "", from: socket.remotePort ?? 0 }) - 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    sent[at] = { ...(sent[at] as Sent), body: Buffer.concat(chunks).toString() };
    reply(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    hangUpAll: () => server.closeAllConnections(),
  };
}

/** A server of raw bytes: `talk` is given each connection. It ends with the test. */
export async function raw(talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    talk(socket);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Time that is moved by hand: sleeping moves it, alarms ring when it has come to them. */
export interface HandTime extends LightRuntime {
  readonly slept: number[];
  advance(millis: number): void;
  /** Alarms that neither rang nor were cancelled. */
  pending(): number;
}

export function handTime(start = Date.now()): HandTime {
  let now = start;
  let alarms: { at: number; ring: () => void }[] = [];
  const slept: number[] = [];
  const advance = (millis: number): void => {
    now += millis;
    const due = alarms.filter(({ at }) => at <= now);
    alarms = alarms.filter((alarm) => !due.includes(alarm));
    for (const { ring } of due) ring();
  };
  return {
    slept,
    advance,
    pending: () => alarms.length,
    now: () => now,
    random: () => 0.5,
    async sleep(millis) {
      slept.push(millis);
      advance(millis);
    },
    alarm(millis, ring) {
      const alarm = { at: now + millis, ring };
      alarms.push(alarm);
      return () => {
        alarms = alarms.filter((other) => other !== alarm);
      };
    },
  };
}

export const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "verysecret", sessionToken: "tokentoken" } as const;

/** A client at a test's server, in time that moves by hand. It ends with the test. */
export function clientAt(
  endpoint: string,
  { runtime = handTime(), ...options }: LightClientOptions & { runtime?: LightRuntime } = {},
): LightClient {
  const settings = checkLightOptions("lightClient", {
    region: "eu-central-1",
    endpoint,
    credentials: KEYS,
    ...options,
  });
  const client = connect(settings, runtime);
  onTestFinished(() => client.destroy());
  return client;
}

/** Real timers, without the pauses between attempts. */
export const withoutPauses: LightRuntime = { ...lightRuntime, random: () => 0 };

/** A read: the least of requests. */
export const GET = { TableName: "orders", Key: { id: { S: "a" } }, ConsistentRead: true } as const;

/** What a promise is rejected with. */
export const failureOf = (promise: Promise<unknown>): Promise<Record<string, unknown> & Error> =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error) => error,
  );
