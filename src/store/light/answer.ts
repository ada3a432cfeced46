import { crc32 } from "node:zlib";
import { fromBody } from "./body.ts";
import type { Answer } from "./exchange.ts";
import { type Failure, failure, refused } from "./failure.ts";

/** What DynamoDB gave, or the error that its answer is. */
export type Read = { readonly output: object } | { readonly error: Failure };

/** Reads an answer. What is not whole, or not DynamoDB's, is an error and never an empty output. */
export function read(answer: Answer): Read {
  const { status, headers, body } = answer;
  const checksum = headers["x-amz-crc32"];
  if (checksum !== undefined && Number(checksum) !== crc32(body)) {
    return { error: failure("ChecksumMismatch", "the answer was damaged on its way", metadata(answer)) };
  }
  const value = parsed(body);
  if (status !== 200) return { error: refusal(answer, value ?? {}) };
  if (value !== undefined) return { output: value };
  return { error: failure("UnreadableAnswer", "the answer is not DynamoDB's", metadata(answer)) };
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value = fromBody(body.toString());
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** DynamoDB's exception with what it says besides (`Item`, `CancellationReasons`, ...); of a proxy's answer the status alone. */
function refusal(answer: Answer, value: Readonly<Record<string, unknown>>): Failure {
  const type = answer.headers["x-amzn-errortype"] ?? value["__type"] ?? value["code"];
  const name = typeof type === "string" ? type.slice(type.lastIndexOf("#") + 1).split(":", 1)[0] : undefined;
  const message = value["message"] ?? value["Message"];
  const text = typeof message === "string" ? withoutRequest(message) : `the answer has status ${answer.status}`;
  const facts: Record<string, unknown> = metadata(answer);
  for (const member of Object.keys(value)) {
    if (member !== "Message" && /^[A-Z]/.test(member)) facts[member] = value[member];
  }
  return refused(name ?? "UnknownError", text, facts);
}

/** AWS explains a wrong signature by the signed headers, and the session token is one of them. */
const withoutRequest = (message: string): string => message.replace(/\s*The Canonical String.*$/s, "");

const metadata = ({ status, headers }: Answer): Pick<Failure, "$metadata"> => ({
  $metadata: {
    httpStatusCode: status,
    requestId: headers["x-amzn-requestid"] as string | undefined,
    retryAfter: Number(headers["x-amz-retry-after"]) || Number(headers["retry-after"]) * 1_000 || undefined,
  },
});
