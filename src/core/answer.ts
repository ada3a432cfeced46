import { ownBytes } from "./codec.ts";
import type { Engine } from "./engine.ts";
import { IdempotencyRecordError, IdempotencyResultError } from "./errors.ts";
import type { CompletedRecord, Encoded, FailedRecord } from "./record.ts";
import { IdempotencyRememberedError, type RememberedFacts } from "./remembered-error.ts";

/** The encoding of a result that could not be stored: the record holds the error's facts instead. */
const UNSTORABLE = "unstorable";

/** What a stored record answers: a result, or an error to throw. */
export type StoredAnswer =
  | { readonly status: "replayed"; readonly attempt: number; readonly result: unknown }
  | {
      readonly status: "failed";
      readonly attempt: number;
      readonly error: IdempotencyRememberedError | IdempotencyResultError;
    }
  | { readonly status: "refused"; readonly error: IdempotencyRecordError };

/** Reads the answer out of a finished record; what cannot be read is refused, never answered as `undefined`. */
export async function storedAnswer(
  engine: Pick<Engine, "codec">,
  record: CompletedRecord | FailedRecord,
): Promise<StoredAnswer> {
  const { id, attempt } = record;
  try {
    if (record.status === "FAILED" && record.result.encoding === UNSTORABLE) {
      return { status: "failed", attempt, error: new IdempotencyResultError(unstorableFacts(record.result)) };
    }
    const value = await engine.codec.decode(ownBytes(record.result), { id });
    if (record.status === "COMPLETED") return { status: "replayed", attempt, result: value };
    return { status: "failed", attempt, error: new IdempotencyRememberedError(rememberedFacts(value)) };
  } catch (cause) {
    const what = record.status === "COMPLETED" ? "result" : "error";
    return {
      status: "refused",
      error: new IdempotencyRecordError({
        id,
        detail: `its ${what} cannot be decoded by this operation's codec`,
        cause,
      }),
    };
  }
}

/** A result that could not be stored, as the record keeps it: without anything of the result itself. */
export function encodeUnstorable({ path, detail }: IdempotencyResultError): Encoded {
  return { encoding: UNSTORABLE, data: JSON.stringify({ path, detail }) };
}

function unstorableFacts({ data }: Encoded): { path: string; detail: string } {
  const { path, detail } = JSON.parse(String(data)) as { path?: unknown; detail?: unknown };
  if (typeof path !== "string" || typeof detail !== "string")
    throw new TypeError("the facts of an unstorable result are missing");
  return { path, detail };
}

/** What is kept of a thrown value: never its stack, its cause or its other properties. Long texts are cut, so that it always fits. */
export function factsOf(error: unknown): RememberedFacts {
  const { name, message, code, statusCode, expose } = Object(error) as Readonly<Record<keyof RememberedFacts, unknown>>;
  if (typeof message !== "string") {
    return { name: "Error", message: typeof error === "string" ? error.slice(0, 8_000) : `a thrown ${typeof error}` };
  }
  return {
    name: typeof name === "string" ? name.slice(0, 200) : "Error",
    message: message.slice(0, 8_000),
    ...(typeof code === "string" && { code: code.slice(0, 200) }),
    ...(isCount(code) && { code }),
    ...(isCount(statusCode) && { statusCode }),
    ...(typeof expose === "boolean" && { expose }),
  };
}

/** A number that comes back equal. */
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && !Object.is(value, -0);

function rememberedFacts(decoded: unknown): RememberedFacts {
  const facts = decoded as Record<string, unknown> | null;
  if (typeof facts?.["name"] !== "string" || typeof facts["message"] !== "string") {
    throw new TypeError("the facts of a kept error are missing");
  }
  return facts as unknown as RememberedFacts;
}
