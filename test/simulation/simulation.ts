import type { Claim } from "../../src/core/claim.ts";
import type { Engine } from "../../src/core/engine.ts";
import type { IdempotencyStore } from "../../src/core/store.ts";
import type { MemoryStore } from "../../src/store/memory.ts";
import type { Coverage, Fault } from "./faults.ts";
import type { Call, History } from "./history.ts";
import type { Invariant } from "./invariants.ts";
import type { Machine } from "./machine.ts";
import type { Scenario } from "./scenario.ts";
import type { Server, Tables } from "./server.ts";
import type { World } from "./world.ts";

/** The parts of one run that see each other. */
export interface Simulation {
  readonly world: World;
  readonly scenario: Scenario;
  readonly history: History;
  readonly server: Server;
  readonly coverage: Coverage;
  readonly mutant: Mutant | undefined;
  /** The faults that this run meets. */
  readonly faults: readonly Fault[];
  /** Whether faults have stopped. */
  calm(): boolean;
  /** Whether one more fault may happen. */
  spend(fault: Fault | "death"): boolean;
  fail(invariant: Invariant, what: string): void;
  /** A record has changed: a call may arrive at the very moment when its lock or it ends. */
  changed(id: string, ends: readonly number[]): void;
  /** A process is about to go on: it may end instead, or stand still. */
  mayDie(machine: Machine): void;
}

/** A broken engine: the real one, with something done wrong from outside. */
export interface Mutant {
  readonly name: string;
  /** Caught by the long run alone: too rare for `npm test`. */
  readonly rare?: boolean;
  /** Why no run can tell it from the real one, where that is so. */
  readonly equivalent?: string;
  /** What the store does wrong. */
  readonly server?: (store: MemoryStore, tables: Tables) => IdempotencyStore;
  /** What the engine asks of the store, or understands of its answers, wrongly. */
  readonly client?: (store: IdempotencyStore) => IdempotencyStore;
  readonly engine?: (engine: Omit<Engine, "operation">) => Partial<Engine>;
  readonly claim?: (claim: Claim) => Claim;
  /** What is done wrongly after a call was refused. */
  readonly refused?: (simulation: Simulation, call: Call, error: unknown) => void;
}
