import type { Runtime } from "../../src/core/engine.ts";
import { type Clock, epochMillis } from "../../src/core/time.ts";
import type { World } from "./world.ts";

/** One process: a clock that is wrong by a little, timers, and an end. What is dead never goes on; what is frozen goes on later. */
export interface Machine {
  readonly name: string;
  readonly runtime: Runtime;
  readonly clock: Clock;
  alive(): boolean;
  /** How often it has been frozen. */
  freezes(): number;
  /** Its wall clock less true time, in milliseconds. */
  skew(): number;
  setSkew(millis: number): void;
  /** Something happens in this process; where it is dead by then it does not, where it is frozen it does afterwards. */
  after(millis: number, what: () => void): () => void;
  /** The process ends: nothing that it awaits ever comes. */
  crash(): void;
  /** Nothing happens in the process for so long; `stopsClock`: its monotonic clock stands still meanwhile. */
  freeze(millis: number, stopsClock: boolean): void;
}

export interface MachineOptions {
  readonly name: string;
  readonly skew: number;
  /** A fresh id for a claim. */
  readonly uniqueId: () => string;
  /** Called before each event of the process, where it may crash or freeze. */
  readonly before: (machine: Machine) => void;
}

export function machineOf(world: World, options: MachineOptions): Machine {
  let { skew } = options;
  let alive = true;
  let freezes = 0;
  let frozenUntil = 0;
  let frozenAt = 0;
  let stopped = false;
  let paused = 0;

  function after(millis: number, what: () => void): () => void {
    let wanted = true;
    const ring = (): void => {
      if (!wanted || !alive) return;
      options.before(machine);
      if (!alive) return;
      if (frozenUntil > world.now()) world.after(frozenUntil - world.now() + world.random.int(0, 3), ring);
      else what();
    };
    world.after(millis, ring);
    return () => {
      wanted = false;
    };
  }

  const machine: Machine = {
    name: options.name,
    clock: { now: () => epochMillis(world.now() + skew) },
    alive: () => alive,
    freezes: () => freezes,
    skew: () => skew,
    setSkew(millis) {
      skew = millis;
    },
    after,
    crash() {
      if (!alive) return;
      alive = false;
      world.tell(options.name, () => "CRASHES");
    },
    freeze(millis, stopsClock) {
      if (frozenUntil > world.now()) return;
      if (stopped) paused += frozenUntil - frozenAt;
      freezes++;
      frozenAt = world.now();
      frozenUntil = frozenAt + millis;
      stopped = stopsClock;
      world.tell(options.name, () => `is FROZEN for ${millis} ms${stopsClock ? ", its monotonic clock too" : ""}`);
    },
    runtime: {
      monotonic: () => world.now() - paused - (stopped ? Math.min(world.now(), frozenUntil) - frozenAt : 0),
      uniqueId: options.uniqueId,
      stableId: (record, name) => `${record}/${name}`,
      random: () => world.random.next(),
      sleep: (millis) => new Promise((resolve) => void after(millis, resolve)),
      alarm: after,
    },
  };
  return machine;
}
