import { hash, randomUUID } from "node:crypto";
import { type CommitPlan, planCommit, snapshot } from "../core/commit-plan.ts";
import { IdempotencyConfigError, IdempotencyStoreError } from "../core/errors.ts";
import { kindOf } from "../core/plain.ts";
import { mayHaveArrived } from "../core/sendings.ts";
import type { LoneCommit, PartFacts, Writable } from "../core/write.ts";
import { nameOf, nameOfTable, storeFailure } from "./failures.ts";
import { type Marshaller, marshaller } from "./native.ts";
import { type SdkClient, sdkTransport } from "./sdk.ts";
import { isMine, sendAlone } from "./single.ts";
import { factsOf, type Reason, transact, transaction } from "./transact.ts";
import type { Operation, TransactItem } from "./transport.ts";

/** One request for the whole commit, the same each time that it is sent. */
interface Sendable {
  readonly operation: Operation;
  readonly table: string;
  /**
   * What became of each action; `undefined` where another transaction holds an item just now. `resent`: an earlier sending
   * may still be carried out.
   */
  send(): Promise<{ readonly facts: readonly PartFacts[] | undefined; readonly resent?: boolean }>;
}

/** Time, pauses and chance, for tests. */
export interface CommitRuntime {
  monotonic(): number;
  sleep(millis: number): Promise<void>;
  random(): number;
}

const processRuntime: CommitRuntime = {
  monotonic: () => performance.now(),
  sleep: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
  random: () => Math.random(),
};

/** No request is sent again after this, in milliseconds; the client's own retries and timeouts lie below. */
const PATIENCE = 5_000;
/** Pauses before a request is sent again grow from here to there, with full jitter. */
const SHORTEST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/**
 * Carries writes out together or not at all, and answers what each came to. One write for one item is one plain
 * request, and everything else one transaction, which DynamoDB bills twice; throttling and conflicts are waited out for
 * some seconds.
 *
 * A condition that does not hold is an outcome, never an error; `committed` says whether anything was written. After an
 * error whose `outcome` is `'unknown'`, the same writes of `lambda-once/writes` can be committed again: they recognise
 * themselves. Plain actions and deletions do not: read what stands there first.
 *
 * @throws IdempotencyConfigError for what is no write, and for writes that DynamoDB cannot hold or carry out together
 * @throws IdempotencyStoreError where DynamoDB could not answer; with `outcome: 'unknown'` it may have written
 * @example
 * const pay = transition({ table: orders, key: { id: "o-1" }, from: "created", to: "paid", machine });
 * const { outcomes } = await commit(client, [pay]);
 * const isPaid = outcomes[0].outcome === "moved" || outcomes[0].outcome === "already";
 */
export function commit<const Writes extends readonly Writable[]>(
  client: SdkClient,
  writes: Writes,
): Promise<LoneCommit<Writes>> {
  return commitBy(processRuntime, client, writes);
}

/** `commit()` under another time and chance. */
export async function commitBy<const Writes extends readonly Writable[]>(
  runtime: CommitRuntime,
  client: SdkClient,
  writes: Writes,
): Promise<LoneCommit<Writes>> {
  if (typeof (client as Partial<SdkClient> | null)?.send !== "function") {
    const allowed = "a DynamoDBClient or DynamoDBDocumentClient of the AWS SDK v3";
    throw new IdempotencyConfigError(`commit(): client is ${kindOf(client)} without send(); allowed is ${allowed}`);
  }
  if (!Array.isArray(writes) || writes.length === 0) {
    const given = Array.isArray(writes) ? "an empty list" : kindOf(writes);
    throw new IdempotencyConfigError(`commit() was given ${given}; allowed is a list of one or more writes`);
  }
  const plan = planCommit(writes.map(snapshot));
  const marshal = await marshaller();
  const items = plan.actions().map((action, index) => marshal.item(action, index));
  const mayRepeat = writes.some((write) => "parts" in write && write.parts.some((part) => part.mayRepeat));
  const facts = await carriedOut(runtime, sendable(client, plan, items, marshal, mayRepeat));
  return {
    committed: facts.every(({ status }) => status === "committed"),
    outcomes: plan.outcomes(facts) as LoneCommit<Writes>["outcomes"],
  };
}

/** A single write needs no transaction where it can be recognised in its item, and is refused when it is repeated. */
function sendable(
  client: SdkClient,
  plan: CommitPlan,
  items: readonly TransactItem[],
  marshal: Marshaller,
  mayRepeat: boolean,
): Sendable {
  const [item] = items as [TransactItem, ...TransactItem[]];
  const [ids = []] = plan.writeIds;
  const table = Object.values(item)[0].TableName as string;
  if (items.length === 1 && ids.length > 0 && !mayRepeat) {
    const { operation, send } = sendAlone(client, item, ids, marshal);
    return { operation, table, send: async () => ({ facts: wrapped(await send()) }) };
  }
  const transport = sdkTransport(client);
  // The same write objects, committed again after an unknown outcome, are the same transaction for ten minutes.
  const token = mayRepeat ? hash("sha256", JSON.stringify([plan.writeIds, items]), "hex").slice(0, 36) : randomUUID();
  const input = transaction(items, token);
  const committed = items.map((): PartFacts => ({ status: "committed" }));
  return {
    operation: "TransactWriteItems",
    table,
    async send() {
      const answer = await transact(transport, input);
      if (answer.outcome === "committed") return { facts: committed };
      const { resent = false } = answer;
      if (answer.outcome === "busy") return { facts: undefined, resent };
      refuseInvalid(answer.reasons, items);
      const facts = factsOf(answer.reasons, marshal);
      const isOurs = facts.some((fact, at) => fact.status === "refused" && isMine(fact.found, plan.writeIds[at]));
      return isOurs ? { facts: committed } : { facts, resent };
    },
  };
}

const wrapped = (facts: PartFacts | undefined): readonly PartFacts[] | undefined => facts && [facts];

/** Where no condition failed, DynamoDB could not do what it was asked for: an item too large, a key of another type. */
function refuseInvalid(reasons: readonly Reason[], items: readonly TransactItem[]): void {
  if (reasons.some(({ code }) => code === "ConditionalCheckFailed")) return;
  const at = reasons.findIndex(({ code }) => code !== "None" && code !== "TransactionConflict");
  const [action] = Object.values(items[at] ?? {}) as { readonly TableName: string }[];
  throw invalid("TransactWriteItems", action?.TableName, reasons[at]);
}

async function carriedOut(runtime: CommitRuntime, { operation, table, send }: Sendable): Promise<readonly PartFacts[]> {
  const begun = runtime.monotonic();
  let isUnknown = false;
  for (let round = 0; ; round++) {
    let failure: IdempotencyStoreError;
    try {
      const { facts, resent } = await send();
      isUnknown ||= resent === true;
      // An earlier sending may find its conditions met when it arrives.
      if (isUnknown && facts?.some(({ status }) => status === "refused")) throw refusedLater(operation, table);
      if (facts !== undefined) return facts;
      failure = busy(operation, table);
    } catch (error) {
      if (error instanceof IdempotencyStoreError || error instanceof IdempotencyConfigError) throw error;
      failure = failureOf(error, operation, table);
      isUnknown ||= mayHaveArrived(failure);
    }
    const pause = runtime.random() * Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** round);
    if (!failure.retryable || runtime.monotonic() - begun + pause > PATIENCE) {
      throw isUnknown ? unknown(failure, failure.reason) : failure;
    }
    await runtime.sleep(pause);
  }
}

/** The sentence of a store's table does not fit a table of the user's own. */
function failureOf(error: unknown, operation: Operation, table: string): IdempotencyStoreError {
  const failure = storeFailure(error, { operation, table });
  const isInvalid = failure.reason === "invalid_request" && nameOf(error) === "ValidationException";
  return isInvalid ? invalid(operation, table, error) : failure;
}

/** A failure of an operation on a table. */
function failed(
  operation: Operation,
  table: string | undefined,
  facts: Pick<IdempotencyStoreError, "reason"> & { detail: string; outcome?: "unknown"; cause?: unknown },
): IdempotencyStoreError {
  const named = table === undefined ? undefined : nameOfTable(table);
  return new IdempotencyStoreError({ ...facts, action: `dynamodb:${operation}`, table: named });
}

function invalid(operation: Operation, table: string | undefined, cause: unknown): IdempotencyStoreError {
  const named = table && nameOfTable(table);
  const detail = `dynamodb:${operation} was refused as invalid: its key does not fit table ${named}, an index of it, or the item is above 400 KB; the cause says which`;
  return failed(operation, table, { reason: "invalid_request", detail, cause });
}

function busy(operation: Operation, table: string): IdempotencyStoreError {
  const detail = `other transactions hold an item of table ${table} for longer than ${PATIENCE} ms`;
  return failed(operation, table, { reason: "throttled", detail });
}

function refusedLater(operation: Operation, table: string): IdempotencyStoreError {
  const detail =
    "nobody knows whether the writes were carried out: an answer was lost, and they were refused when sent again";
  return failed(operation, table, { reason: "timeout", detail, outcome: "unknown" });
}

/** The failure of a request that may have been carried out. */
function unknown(cause: unknown, reason: IdempotencyStoreError["reason"]): IdempotencyStoreError {
  const { action, table } = cause as Partial<IdempotencyStoreError>;
  return new IdempotencyStoreError({
    reason,
    detail: `nobody knows whether the writes were carried out (${reason})`,
    outcome: "unknown",
    cause,
    action,
    table,
  });
}
