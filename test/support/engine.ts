import { json } from "../../src/codec/json.ts";
import type { Engine, Runtime } from "../../src/core/engine.ts";
import type { IdempotencyEvent } from "../../src/core/observe.ts";
import type { IdempotencyStore } from "../../src/core/store.ts";
import { epochMillis } from "../../src/core/time.ts";
import { type MemoryStore, memoryStore, type TransactTables } from "../../src/store/memory.ts";

/** Simulated time: sleeps and alarms end when somebody advances it. */
export interface SimulatedTime {
  readonly runtime: Runtime;
  /** The wall clock; its distance to the monotonic one can be changed by `skew`. */
  now(): number;
  advance(millis: number): void;
  skew(millis: number): void;
}

export function simulatedTime(start = 1_700_000_000_000): SimulatedTime {
  let monotonic = 0;
  let offset = start;
  let ids = 0;
  let alarms: { at: number; ring: () => void }[] = [];
  return {
    now: () => monotonic + offset,
    advance(millis) {
      monotonic += millis;
      const due = alarms.filter(({ at }) => at <= monotonic);
      alarms = alarms.filter(({ at }) => at > monotonic);
      for (const { ring } of due) ring();
    },
    skew(millis) {
      offset += millis;
    },
    runtime: {
      monotonic: () => monotonic,
      uniqueId: () => `owner-${++ids}`,
      stableId: (record, name) => `${record}/${name}`,
      random: () => 0.5,
      // Sleeping moves the time: nothing else happens meanwhile in these tests.
      async sleep(millis) {
        this.alarm(millis, () => undefined);
        monotonic += millis;
      },
      alarm(millis, ring) {
        const alarm = { at: monotonic + millis, ring };
        alarms.push(alarm);
        return () => {
          alarms = alarms.filter((other) => other !== alarm);
        };
      },
    },
  };
}

type Verbs = "claim" | "complete" | "release" | "checkpoint" | "renew" | "commit" | "read";

/** Which verb of the store does what, instead of the store's own. */
export type Faults = { [Verb in Verbs]?: NonNullable<IdempotencyStore[Verb]> };

/** An engine over a memory store in simulated time, and all that it told and asked. */
export interface EngineUnderTest {
  readonly engine: Engine;
  readonly store: MemoryStore;
  readonly time: SimulatedTime;
  readonly events: IdempotencyEvent[];
  /** The verbs that were asked for, in their order. */
  readonly asked: string[];
  /** Replaces the next calls of a verb, one function each; after them the store answers itself. */
  next<Verb extends keyof Faults>(verb: Verb, ...instead: NonNullable<Faults[Verb]>[]): void;
}

export function engineUnderTest(
  options: Partial<Engine> = {},
  time: SimulatedTime = simulatedTime(),
  tables?: TransactTables,
): EngineUnderTest {
  const store = memoryStore({ clock: { now: () => epochMillis(time.now()) }, tables });
  const events: IdempotencyEvent[] = [];
  const asked: string[] = [];
  const queues: Record<string, unknown[]> = {
    claim: [],
    complete: [],
    release: [],
    checkpoint: [],
    renew: [],
    commit: [],
    read: [],
  };
  const verb = <Name extends keyof Faults>(name: Name): NonNullable<IdempotencyStore[Name]> =>
    ((...args: never[]) => {
      asked.push(name);
      const instead = (queues[name]?.shift() ?? store[name]) as (...args: never[]) => unknown;
      return instead(...args);
    }) as NonNullable<IdempotencyStore[Name]>;
  return {
    store,
    time,
    events,
    asked,
    next(name, ...instead) {
      queues[name]?.push(...instead);
    },
    engine: {
      operation: "op",
      store: {
        clock: store.clock,
        claim: verb("claim"),
        complete: verb("complete"),
        release: verb("release"),
        checkpoint: verb("checkpoint"),
        renew: verb("renew"),
        commit: store.commit && verb("commit"),
        read: verb("read"),
      },
      codec: json(),
      observe: (event) => events.push(event),
      policies: { whenCompleted: "replay", whenAbandoned: "rerun" },
      remember: (outcome) => (outcome.status === "returned" ? "keep" : "release"),
      retention: 86_400_000,
      lockFor: undefined,
      lockMargin: 5_000,
      deadlineMargin: 500,
      commitMargin: 7_000,
      claimAt: "start",
      patience: 0,
      runtime: time.runtime,
      ...options,
    },
  };
}
