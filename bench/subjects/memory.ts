import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { answer, headersOf } from "./records.ts";

/** Both sides' HTTP is answered in memory: what is left is their own work, down to a request and up from a stream. */
const inMemory = process.env["BENCH_TRANSPORT"] === "memory";

function respond(target: string, body: string): { status: number; headers: Record<string, string>; stream: Readable } {
  const { status, body: text } = answer(target, body);
  const bytes = Buffer.from(text);
  const stream = new Readable({ read() {} });
  stream.push(bytes);
  stream.push(null);
  return { status, headers: { ...headersOf(bytes.length), "x-amz-crc32": String(crc32(bytes)) }, stream };
}

/** Settings for a client of the SDK. */
export function sdkSettings(): DynamoDBClientConfig {
  if (!inMemory) return {};
  const handle = async (request: { headers: Record<string, string>; body?: string | Uint8Array }) => {
    const sent = request.body ?? "";
    // By its buffer: the SDK warns of a body that is read as a string.
    const text =
      typeof sent === "string" ? sent : Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength).toString("latin1");
    const { status: statusCode, headers, stream: body } = respond(String(request.headers["x-amz-target"]), text);
    return { response: { statusCode, headers, body } };
  };
  const requestHandler = { metadata: { handlerProtocol: "http/1.1" }, handle };
  return { requestHandler } as unknown as DynamoDBClientConfig;
}

/** Puts a request that is answered in memory in the place of `https.request`, before a light client is made. */
export function answerHttps(): void {
  if (!inMemory) return;
  const request = (options: { headers: readonly string[] }) => {
    const asked = Object.assign(new EventEmitter(), {
      reusedSocket: true,
      writableFinished: true,
      destroy() {},
      end(body: string) {
        const target = options.headers[options.headers.indexOf("X-Amz-Target") + 1] ?? "";
        const { status, headers, stream } = respond(target, body);
        asked.emit("socket", { connecting: false });
        const response = Object.assign(stream, { statusCode: status, headers, complete: true });
        stream.once("close", () => asked.emit("close"));
        process.nextTick(() => asked.emit("response", response));
      },
    });
    return asked;
  };
  Object.assign(process.getBuiltinModule("node:https"), { request });
}
