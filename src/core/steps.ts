import { checkNames, refuseValue } from "./check.ts";
import { show } from "./duration.ts";
import type { Engine } from "./engine.ts";
import {
  IdempotencyClaimLostError,
  IdempotencyConfigError,
  IdempotencyRecordError,
  IdempotencyResultError,
  IdempotencyStepInterruptedError,
  tooLarge,
} from "./errors.ts";
import type { Lease } from "./lease.ts";
import { encode, persist } from "./persist.ts";
import { type Encoded, type Found, type InProgressRecord, STARTED } from "./record.ts";
import { signalled } from "./signalled.ts";
import { outcomeIsUnknown } from "./unknown.ts";

/** What a step's function is told. */
export interface StepContext {
  /** The step's own key for whoever is asked to do something: the same in every attempt. */
  readonly idempotencyKey: string;
  /** The claim's attempt. */
  readonly attempt: number;
  /** Aborts at the claim's deadline. */
  readonly signal: AbortSignal;
}

/** How a step may be repeated. */
export interface StepOptions {
  /**
   * `true`: marked before it begins, so that a step that an earlier attempt began and never reported is not begun again but
   * refused with `IdempotencyStepInterruptedError`. One more request. Default: `false`, such a step runs again.
   */
  readonly once?: boolean | undefined;
}

/** The steps of one claim. */
export interface Steps {
  /** Those whose results are recorded. */
  recorded(): readonly string[];
  /** Those that failed, whose start mark is to be forgotten. */
  failed(): readonly string[];
  /** Whether the next attempt has to know of any: recorded ones, or marks of those that nobody knows the outcome of. */
  leaveTraces(): boolean;
  /** Whether no step is at work, and none that was left has ended with an unknown outcome. */
  atRest(): boolean;
  /** The same once no step is at work any more; `false` where the deadline or so many milliseconds pass before. */
  settled(most?: number): Promise<boolean>;
  run(name: string, fn: (about: StepContext) => unknown, options?: StepOptions): Promise<unknown>;
}

/** What the steps need of their claim. */
export interface StepsClaim {
  readonly engine: Engine;
  readonly record: InProgressRecord;
  readonly lease: Lease;
  signal(): AbortSignal;
  /** Throws where the claim has ended or is lost. */
  assertLive(what: string): void;
  /** Once no commit is under way. */
  uncommitted(): Promise<void>;
  lost(found: Found): void;
}

/** Steps under a claim: each runs once and its result is stored in the record, in one request. */
export function stepsOf({ engine, record, lease, signal, assertLive, uncommitted, lost }: StepsClaim): Steps {
  const { id, owner, attempt } = record;
  const isRecorded = (step: Encoded | undefined): step is Encoded => step !== undefined && step.encoding !== STARTED;
  const known = (name: string): Encoded | undefined =>
    Object.hasOwn(record.steps, name) ? record.steps[name] : undefined;
  const recorded = new Set(Object.keys(record.steps).filter((name) => isRecorded(known(name))));
  const failed: string[] = [];
  const marked = new Set<string>();
  const used = new Set<string>();
  const atWork = new Set<Promise<unknown>>();
  /** The function is over, or may be about to be, since a step has failed beside others: nobody may handle what these end with. */
  let isLeft = false;
  let endedUnknown = false;

  async function save(name: string, step: Encoded): Promise<void> {
    const answer = await persist(engine, lease, () => engine.store.checkpoint({ id, owner, name, step }));
    if (answer.outcome === "written") return;
    if (answer.outcome === "conflict") {
      lost(answer.found);
      throw new IdempotencyClaimLostError();
    }
    throw tooLarge(answer, stepPath(name));
  }

  async function encoded(name: string, result: unknown): Promise<Encoded> {
    try {
      return await encode(engine, id, lease, result);
    } catch (error) {
      if (!(error instanceof IdempotencyResultError)) throw error;
      throw new IdempotencyResultError({ path: stepPath(name) + error.path.slice(1), detail: error.detail });
    }
  }

  async function run(name: string, fn: (about: StepContext) => unknown, options: StepOptions): Promise<unknown> {
    const once = readOptions(name, fn, options);
    assertLive(`step(${show(name)})`);
    if (used.has(name)) {
      throw new IdempotencyConfigError(
        `the step ${show(name)} was used before in this call; give each step a name of its own`,
      );
    }
    used.add(name);
    const before = known(name);
    if (isRecorded(before)) {
      try {
        return await engine.codec.decode(before, { id });
      } catch (cause) {
        const detail = `its step ${show(name)} cannot be decoded by this operation's codec`;
        throw new IdempotencyRecordError({ id, detail, cause });
      }
    }
    if (once && before !== undefined) throw new IdempotencyStepInterruptedError({ step: name });
    let result: unknown;
    try {
      if (once) {
        marked.add(name);
        // Sent again after a lost response it is the same mark of the same owner.
        await save(name, { encoding: STARTED, data: owner });
        assertLive(`step(${show(name)})`);
      }
      const idempotencyKey = engine.runtime.stableId(id, name);
      result = await fn(Object.assign(signalled(signal), { idempotencyKey, attempt }));
    } catch (error) {
      if (once && !outcomeIsUnknown(error) && marked.delete(name)) failed.push(name);
      throw error;
    }
    // It was had: where it cannot be recorded, the next attempt has to know that it is not the first.
    marked.add(name);
    const step = await encoded(name, result);
    // Where a commit that is under way is refused, the claim is still held, and the step is recorded.
    await uncommitted();
    assertLive(`step(${show(name)})`);
    await save(name, step);
    recorded.add(name);
    marked.delete(name);
    return result;
  }

  return {
    recorded: () => [...recorded],
    failed: () => failed,
    leaveTraces: () => recorded.size > 0 || marked.size > 0 || Object.keys(record.steps).length > 0,
    atRest: () => atWork.size === 0 && !endedUnknown,
    async settled(most) {
      isLeft = true;
      if (atWork.size === 0) return !endedUnknown;
      let cancel: (() => void) | undefined;
      const over = new Promise<boolean>((resolve) => {
        const end = (): void => resolve(false);
        if (signal().aborted) end();
        signal().addEventListener("abort", end, { once: true });
        if (most !== undefined) cancel = engine.runtime.alarm(most, end);
      });
      const rest = async (): Promise<boolean> => {
        while (atWork.size > 0) await Promise.allSettled(atWork);
        return !endedUnknown;
      };
      return Promise.race([rest(), over]).finally(() => cancel?.());
    },
    async run(name, fn, options = {}) {
      const running = run(name, fn, options);
      atWork.add(running);
      try {
        return await running;
      } catch (error) {
        if (isLeft && outcomeIsUnknown(error)) endedUnknown = true;
        if (atWork.size > 1) isLeft = true;
        throw error;
      } finally {
        atWork.delete(running);
      }
    },
  };
}

const stepPath = (name: string): string => `$steps[${JSON.stringify(name)}]`;

/** The name of a step, or of what a key is for. */
export function checkName(name: unknown, where: string): void {
  if (typeof name === "string" && name.length >= 1 && name.length <= 255) return;
  refuseValue(`the name of ${where}`, name, "are strings of 1 to 255 characters");
}

/** Whether the step is to begin once. */
export function readOptions(name: unknown, fn: unknown, options: StepOptions): boolean {
  checkName(name, "a step");
  if (typeof fn !== "function") {
    throw new IdempotencyConfigError(`the step ${show(name)} is to run ${show(fn)}; allowed is a function`);
  }
  checkNames("a step", options, ["once"]);
  const { once = false } = options;
  if (typeof once === "boolean") return once;
  return refuseValue("once", once, "are true and false");
}
