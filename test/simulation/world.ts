import { type Random, randomOf } from "./random.ts";

/** True time begins here, in epoch milliseconds. */
export const EPOCH = 1_700_000_000_000;

/** More than any run needs: one that asks for more does not end. */
const MOST_EVENTS = 20_000;

/** True time, and all that is still to happen in it. One event at a time; between two of them every promise settles. */
export interface World {
  readonly random: Random;
  /** Epoch milliseconds that no worker can see: each has a clock of its own. */
  now(): number;
  /** Something happens after `millis`, whole ones; events of the same moment happen in a random order. */
  after(millis: number, what: () => void): void;
  /** Lets events happen until none is left, or until `end` has come. */
  run(end?: number): Promise<void>;
  /** Adds a line to the trace, where one is kept. */
  tell(who: string, what: () => string): void;
  readonly lines: string[];
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly what: () => void;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function worldOf(seed: number, traced: boolean): World {
  const random = randomOf(seed);
  const events: Event[] = [];
  const lines: string[] = [];
  let now = EPOCH;
  let left = MOST_EVENTS;

  function first(): number {
    let index = 0;
    for (let other = 1; other < events.length; other++) {
      const [one, two] = [events[index] as Event, events[other] as Event];
      if (two.at < one.at || (two.at === one.at && two.order < one.order)) index = other;
    }
    return index;
  }

  return {
    random,
    lines,
    now: () => now,
    after(millis, what) {
      events.push({ at: now + Math.max(0, Math.ceil(millis)), order: random.next(), what });
    },
    async run(end = Number.POSITIVE_INFINITY) {
      await settled();
      while (events.length > 0) {
        const index = first();
        const event = events[index] as Event;
        if (event.at > end) break;
        if (--left < 0) throw new Error(`more than ${MOST_EVENTS} events: something repeats itself without an end`);
        events[index] = events[events.length - 1] as Event;
        events.pop();
        now = event.at;
        event.what();
        await settled();
      }
      if (end !== Number.POSITIVE_INFINITY) now = Math.max(now, end);
    },
    tell(who, what) {
      if (traced) lines.push(`${String(now - EPOCH).padStart(8)} ms  ${who.padEnd(9)} ${what()}`);
    },
  };
}
