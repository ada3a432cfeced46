import { type Engine, type Turn, tell } from "../../core/engine.ts";
import {
  type IdempotencyError,
  IdempotencyNoTimeLeftError,
  IdempotencyOutcomeUnknownError,
  isIdempotencyError,
} from "../../core/errors.ts";
import type { ReportReason } from "../../core/observe.ts";
import { type LambdaContext, remainingTime } from "../context.ts";
import { inFrame } from "../frames.ts";
import { execute } from "../idempotent.ts";
import type { Call, Operation, PreparedCall } from "../operation.ts";
import { type Closing, closingOf } from "./closing.ts";
import { schedule } from "./schedule.ts";
import { type Batch, type BatchRecord, lower, type Place, type SqsRecord } from "./source.ts";
import { type ChangeVisibility, hide, secondsUntil } from "./visibility.ts";

/** Everything that one batch is handled with. */
interface Work {
  readonly batch: Batch;
  readonly operation: Operation;
  readonly concurrency: number;
  readonly changeVisibility: ChangeVisibility | undefined;
  readonly context: LambdaContext | undefined;
  args(record: BatchRecord): readonly unknown[];
  run(record: BatchRecord): unknown;
}

/** The record is acknowledged. */
interface Done {
  readonly status: "done";
  readonly begun: true;
  /** What the observer is told of a record that joins it. */
  readonly as?: Turn;
}

/** The record is handed back to its source. */
interface Reported {
  readonly status: "reported";
  readonly begun: boolean;
  readonly reason: ReportReason;
  readonly error?: unknown;
  /** The key is in progress elsewhere; its lock ends in so many milliseconds. */
  readonly lockEndsIn?: number;
}

type Outcome = Done | Reported;

interface Task extends Place {
  /** `undefined` where the operation cannot be called with this record, for the reason `misuse`. */
  readonly call: PreparedCall | undefined;
  readonly misuse?: unknown;
  /** The last one before it in its lane. */
  readonly before: Task | undefined;
  /** The last one before it with the same key. */
  readonly twin: Task | undefined;
  /** Whether the function has not been called, is at work, or has ended, so that its outcome is being saved. */
  stage: "waiting" | "running" | "saving";
  outcome: Outcome | undefined;
}

const done = (as?: Turn): Done => ({ status: "done", begun: true, ...(as !== undefined && { as }) });

const reported = (reason: ReportReason, error?: unknown): Reported => ({
  status: "reported",
  begun: reason !== "group_stopped" && reason !== "no_time_left",
  reason,
  ...(error !== undefined && { error }),
});

/**
 * Handles every record that there is time for, each after those that it has to wait for, and names the others. Answers
 * before the Lambda ends, also where a function never does: that one's record is named too, and its claim stays held.
 */
export async function handleBatch(work: Work): Promise<{ batchItemFailures: { itemIdentifier: string }[] }> {
  const { batch, operation, concurrency, context } = work;
  const { runtime, deadlineMargin, observe } = operation.settings.engine;
  const { tasks, waitsFor } = prepare(work);
  const engine = engineOf(tasks, observe);
  const closing = closingOf(context, deadlineMargin);
  /** When the records that are at work began, the oldest first. */
  const begunAt = new Map<Task, number>();
  let longest = 0;

  await schedule(waitsFor, concurrency, async (index) => {
    const task = tasks[index] as Task;
    const outcome = await outcomeInTime(task).catch((error: unknown) => reported("refused", error));
    task.outcome = outcome;
    if (outcome.status === "done") return;
    const { reason, lockEndsIn } = outcome;
    const about = { item: task.item, reason, ...("error" in outcome && { error: outcome.error }) };
    tell(engine, task.call?.id, { type: "reported", ...about });
    if (lockEndsIn !== undefined) await hideUntil(task, lockEndsIn);
  });
  closing.cancel();
  return { batchItemFailures: failuresOf(batch, tasks).map((itemIdentifier) => ({ itemIdentifier })) };

  /** What becomes of the record while there is time. What comes later changes nothing but the store, under its claim. */
  function outcomeInTime(task: Task): Promise<Outcome> {
    return Promise.race([outcomeOf(task), closing.functionsEnd.then(() => outcomeAtTheEnd(task))]);
  }

  async function outcomeAtTheEnd({ stage }: Task): Promise<Outcome> {
    if (stage === "waiting") return reported("no_time_left", noTimeLeft());
    if (stage === "saving") await closing.savesEnd;
    const what = stage === "saving" ? "its outcome was still being saved" : "the function was still running";
    return reported("unfinished", new IdempotencyOutcomeUnknownError(`${what} when the batch had to be answered`));
  }

  async function outcomeOf(task: Task): Promise<Outcome> {
    const { call, twin, before } = task;
    if (before !== undefined && before.outcome?.status !== "done") return reported("group_stopped");
    if (call === undefined) return reported("refused", task.misuse);
    const first = twin?.call?.fingerprint === call.fingerprint ? twin?.outcome : undefined;
    if (first?.begun === true) return join(call, first);
    const shortage = shortOfTime();
    if (shortage !== undefined) return reported("no_time_left", shortage);
    begunAt.set(task, runtime.monotonic());
    try {
      return await carryOut(work, task, call, closing);
    } finally {
      longest = Math.max(longest, sinceBegun(task));
      begunAt.delete(task);
    }
  }

  /** Whether what is left covers one more record that takes as long as the longest so far, with those that still run. */
  function shortOfTime(): IdempotencyNoTimeLeftError | undefined {
    const remaining = remainingTime(context);
    const [oldest] = begunAt.keys();
    const needed = Math.max(longest, oldest === undefined ? 0 : sinceBegun(oldest)) + deadlineMargin;
    const isEnough = !closing.isOver() && (remaining === undefined || remaining >= needed);
    return isEnough ? undefined : noTimeLeft(needed);
  }

  function noTimeLeft(needed = deadlineMargin): IdempotencyNoTimeLeftError {
    return new IdempotencyNoTimeLeftError({ remaining: remainingTime(context) ?? 0, needed: Math.ceil(needed) });
  }

  function sinceBegun(task: Task): number {
    return runtime.monotonic() - (begunAt.get(task) as number);
  }

  async function hideUntil(task: Task, millis: number): Promise<void> {
    const { changeVisibility } = work;
    if (changeVisibility === undefined) return;
    const { item, record, call } = task;
    try {
      // The answer of the batch needs its time: it is worth more than this courtesy.
      const left = (remainingTime(context) ?? Number.POSITIVE_INFINITY) - deadlineMargin;
      await hide(runtime, left, () => changeVisibility(record as SqsRecord, secondsUntil(millis)));
    } catch (error) {
      tell(engine, call?.id, { type: "visibility_failed", item, error });
    }
  }
}

/**
 * Reads all keys before any function can change a record, and finds out which records wait for which: for the one
 * before them in their lane, and for the one before them with the same key.
 */
function prepare({ batch, operation, args, context }: Work): {
  readonly tasks: readonly Task[];
  readonly waitsFor: readonly (readonly number[])[];
} {
  const tasks: Task[] = [];
  const waitsFor: number[][] = [];
  const lastInLane = new Map<string, number>();
  const lastWithId = new Map<string, number>();
  for (const [index, place] of batch.places.entries()) {
    let call: PreparedCall | undefined;
    let misuse: unknown;
    try {
      call = operation.prepare(args(place.record), context);
    } catch (error) {
      misuse = error;
    }
    const inLane = place.lane === undefined ? undefined : lastInLane.get(place.lane);
    const withId = call?.id === undefined ? undefined : lastWithId.get(call.id);
    if (place.lane !== undefined) lastInLane.set(place.lane, index);
    if (call?.id !== undefined) lastWithId.set(call.id, index);
    waitsFor.push([inLane, withId].filter((one): one is number => one !== undefined));
    const [before, twin] = [inLane, withId].map((one) => (one === undefined ? undefined : tasks[one]));
    tasks.push({ call, misuse, before, twin, stage: "waiting", outcome: undefined, ...place });
  }
  // A mistake of the operation and not of one record: it is said aloud, and nothing has run.
  if (tasks.length > 0 && tasks.every(({ call }) => call === undefined)) throw tasks[0]?.misuse;
  return { tasks, waitsFor };
}

/** What the observer is told by; at least one record has been read. */
function engineOf(tasks: readonly Task[], observe: Engine["observe"]): Pick<Engine, "observe" | "operation"> {
  return { observe, operation: tasks.find(({ call }) => call !== undefined)?.call?.engine.operation ?? "" };
}

/** The second of two records with one key in a batch: what became of the first became of it. */
function join({ engine, id }: PreparedCall, first: Outcome): Outcome {
  if (first.status === "reported") return { ...first, reason: "joined" };
  if (first.as !== undefined) tell(engine, id, first.as);
  return first;
}

/** One record: begin, run under the claim, end the claim. Throws only where it could not begin. */
async function carryOut(work: Work, task: Task, call: PreparedCall, closing: Closing): Promise<Outcome> {
  const begun = await call.begin();
  switch (begun.status) {
    case "claimed":
    case "unheld":
      if (closing.isOver()) {
        // The record has been reported meanwhile, and may be at work elsewhere by the time that it would run here.
        if (begun.status === "claimed") await begun.claim.cancel();
        return reported("no_time_left");
      }
      return await runUnder(begun, work, task).catch((error: unknown) => reported("threw", error));
    case "replayed":
      return done({ type: "replayed", attempt: begun.attempt });
    case "failed":
      return refused(begun.error, begun.attempt);
    case "refused":
      return refused(begun.error);
  }
}

/** The function at work, with a claim or without. Throws what it throws. */
async function runUnder(
  begun: Extract<Call, { readonly status: "claimed" | "unheld" }>,
  { context, run }: Work,
  task: Task,
): Promise<Outcome> {
  const runTask = async (): Promise<unknown> => {
    task.stage = "running";
    try {
      return await run(task.record);
    } finally {
      task.stage = "saving";
    }
  };
  if (begun.status === "unheld") {
    try {
      await inFrame(begun.claim, context, runTask);
      await begun.returned();
    } finally {
      begun.end();
    }
    return done();
  }
  const { attempt } = begun.claim;
  const answered = await execute(begun.claim, context, runTask);
  if (answered.status === "refused") return refused(answered.error, attempt);
  if (answered.status === "executed" && !answered.kept) return reported("not_kept");
  return done({ type: "replayed", attempt: answered.attempt });
}

/** What a refusal means to a queue, which waits for no result: an operation that was carried out is done. */
function refused(error: IdempotencyError | Error, attempt?: number): Outcome {
  if (!isIdempotencyError(error)) return reported("refused", error);
  switch (error.code) {
    case "duplicate":
      return done({ type: "refused", code: error.code, error });
    case "result_unstorable":
      // With writes, nothing was committed.
      if (!error.carriedOut) return reported("refused", error);
      // The function has returned; only what it returned is lost, and nobody here reads that.
      return done(attempt === undefined ? undefined : { type: "replayed", attempt });
    case "in_progress":
      return { ...reported("refused", error), lockEndsIn: error.lockEndsIn ?? error.retryAfter * 1000 };
    default:
      return reported("refused", error);
  }
}

function failuresOf({ checkpoints }: Batch, tasks: readonly Task[]): string[] {
  const failed = tasks.filter(({ outcome }) => outcome?.status !== "done").map(({ item }) => item);
  return checkpoints && failed.length > 0 ? [failed.reduce(lower)] : [...new Set(failed)];
}
