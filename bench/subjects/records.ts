import { deflateRawSync } from "node:zlib";
import { type Bytes, resultOf } from "./scenario.ts";

const CONDITION_FAILED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";

/** A value in DynamoDB's JSON, as a document client writes it. */
function attribute(value: unknown): unknown {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (Array.isArray(value)) return { L: value.map(attribute) };
  return { M: item(value as object) };
}

const item = (values: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, attribute(value)]));

/** What stands in a table of this side after a first execution, or during one, as that side writes it. */
function record(side: string, path: string, bytes: Bytes): Readonly<Record<string, unknown>> {
  const now = Date.now();
  const seconds = Math.ceil(now / 1_000) + 86_400;
  const running = path === "progress";
  if (side === "peer") {
    const base = { status: running ? "INPROGRESS" : "COMPLETED", expiration: seconds };
    return item({
      ...base,
      in_progress_expiration: now + 3_600_000,
      ...(!running && { data: resultOf(bytes) }),
    });
  }
  const base = { v: 1, owner: "0f8fad5b-d9cb-469f-a165-70867728950e", attempt: 1, createdAt: now, expiresAt: seconds };
  if (running) return { ...item({ ...base, status: "IN_PROGRESS", lockedUntil: now + 3_600_000 }), steps: { M: {} } };
  const text = JSON.stringify(resultOf(bytes));
  const small = text.length <= 700;
  const result = small ? { S: text } : { B: deflateRawSync(text).toString("base64") };
  const encoding = small ? "json" : "json+deflate";
  return { ...item({ ...base, status: "COMPLETED", completedAt: now, encoding }), result };
}

const kept = new Map<string, string>();

/** An answer of DynamoDB. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Stands for DynamoDB: tables whose name says `replay` or `progress` hold such a record under every id, the others
 * take whatever is written.
 */
export function answer(target: string, body: string): Answer {
  const [, side = "", path = "", bytes = ""] = /"TableName":"(\w+)\.(\w+)\.(\d+)"/.exec(body) ?? [];
  const held = path === "replay" || path === "progress";
  if (!held || target.endsWith(".UpdateItem")) return { status: 200, body: "{}" };
  const name = `${side}.${path}.${bytes}`;
  const rest = kept.get(name) ?? JSON.stringify(record(side, path, Number(bytes) as Bytes)).slice(1);
  kept.set(name, rest);
  const id = /"id":\{"S":"([^"]+)"\}/.exec(body)?.[1] ?? "";
  const found = `{"id":{"S":"${id}"},${rest}`;
  if (target.endsWith(".GetItem")) return { status: 200, body: `{"Item":${found}}` };
  const failed = `{"__type":"${CONDITION_FAILED}","message":"The conditional request failed","Item":${found}}`;
  return { status: 400, body: failed };
}

/** The headers that DynamoDB sends, the checksum aside. */
export const headersOf = (length: number): Readonly<Record<string, string>> => ({
  "content-type": "application/x-amz-json-1.0",
  "content-length": String(length),
  "x-amzn-requestid": "B4ASK6LTBC3UAHT8CCQPSFU7LFVV4KQNSO5AEMVJF66Q9ASUAAJG",
});
