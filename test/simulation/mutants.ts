import { ENGINE_MUTANTS } from "./engine-mutants.ts";
import type { Mutant } from "./simulation.ts";
import { STORE_MUTANTS } from "./store-mutants.ts";

/** The real engine, broken in one place each. Every one that is not equivalent must be caught. */
export const MUTANTS: readonly Mutant[] = [...STORE_MUTANTS, ...ENGINE_MUTANTS];
