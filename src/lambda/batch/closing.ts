import { type LambdaContext, remainingTime } from "../context.ts";

/** The end of a batch's time. Nothing of it ever comes where nobody knows what time is left. */
export interface Closing {
  /** From now on nothing is begun, and functions that still run are not waited for. */
  readonly functionsEnd: Promise<void>;
  /** From now on nothing is waited for: the answer has to go out. */
  readonly savesEnd: Promise<void>;
  /** Whether the functions' time is over. */
  isOver(): boolean;
  /** The batch has its answer: ends the timers. */
  cancel(): void;
}

/** A timer beyond 2^31 ms would ring at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * When a batch has to come to its end: functions `margin` milliseconds before the Lambda does, since the margin is what
 * saving a result may take, and saves just after the moment at which they give up by themselves.
 *
 * Its timers keep the process alive, unlike those of the runtime: where a function waits for nothing that is open, Node
 * would end without an answer, and Lambda takes an empty one for a success of the whole batch.
 */
export function closingOf(context: LambdaContext | undefined, margin: number): Closing {
  const timers: NodeJS.Timeout[] = [];
  const passed = (millis: number | undefined): Promise<void> =>
    new Promise((resolve) => {
      if (millis !== undefined) timers.push(setTimeout(resolve, Math.min(LONGEST, Math.max(0, millis))));
    });
  const left = knownTime(context);
  let over = false;
  return {
    functionsEnd: passed(left && left - margin).then(() => {
      over = true;
    }),
    savesEnd: passed(left && left - Math.min(100, margin / 5) / 2),
    isOver: () => over,
    cancel: () => timers.forEach(clearTimeout),
  };
}

/** A context that cannot say it is met again by each record, which is refused for it. */
function knownTime(context: LambdaContext | undefined): number | undefined {
  try {
    return remainingTime(context);
  } catch {
    return undefined;
  }
}
