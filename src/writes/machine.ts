import { show } from "../core/duration.ts";
import { isPlainObject, kindOf } from "../core/plain.ts";
import { refuse } from "./options.ts";

/** For each state, the states that may follow it. Declare it once, `as const`. */
export type Machine<State extends string = string> = { readonly [S in State]: readonly State[] };

/** The states that a machine may come from to reach `To`. */
export type SourcesOf<M, To> = {
  [S in keyof M]: M[S] extends readonly (infer Next)[] ? (To extends Next ? S : never) : never;
}[keyof M];

/** The states that are legal targets from each of the states `From`. */
export type TargetsOf<M extends Machine, From extends string> = {
  [To in keyof M & string]: [From] extends [SourcesOf<M, To>] ? To : never;
}[keyof M & string];

const ALLOWED =
  "an object with a list of the states that may follow for each state, every one of them a state of the machine";

/**
 * Refuses what is no machine.
 *
 * @throws IdempotencyConfigError for a machine without states, and for a target that is no state of it or is named twice
 */
export function checkMachine(by: string, machine: unknown): asserts machine is Machine {
  if (!isPlainObject(machine)) refuse(by, "machine", kindOf(machine), ALLOWED);
  const states = Object.keys(machine);
  if (states.length === 0) refuse(by, "machine", "without states", ALLOWED);
  if (states.includes("")) refuse(by, "machine", "one with a state without a name", ALLOWED);
  for (const state of states) {
    const targets = machine[state];
    if (!Array.isArray(targets)) refuse(by, `machine.${state}`, kindOf(targets), ALLOWED);
    for (const [at, target] of (targets as unknown[]).entries()) {
      if (!states.includes(target as string)) refuse(by, `machine.${state}[${at}]`, show(target), listed(states));
      if (targets.indexOf(target) !== at)
        refuse(by, `machine.${state}[${at}]`, `${show(target)} again`, "each state once");
    }
  }
}

/** Whether one of `targets` may follow `from`, however many states lie between. */
export function leadsTo(machine: Machine, from: string, targets: readonly string[]): boolean {
  const seen = new Set<string>([from]);
  for (const state of seen) for (const next of machine[state] ?? []) seen.add(next);
  return targets.some((target) => seen.has(target));
}

/** States as a message lists them. */
export const listed = (states: readonly string[]): string =>
  states.length === 0 ? "no state" : states.map((state) => show(state)).join(", ");

/**
 * The machine as a Mermaid state diagram, so that the picture in the documentation is drawn from the code. States that
 * nothing leads to are entered from outside; those that lead nowhere are left.
 *
 * @throws IdempotencyConfigError for what is no machine
 * @example
 * const machine = { created: ["paid", "cancelled"], paid: [], cancelled: [] } as const;
 * const picture = toMermaid(machine);
 */
export function toMermaid(machine: Machine): string {
  checkMachine("toMermaid()", machine);
  const states = Object.keys(machine);
  const reached = new Set(Object.entries(machine).flatMap(([from, targets]) => targets.filter((to) => to !== from)));
  const entered = states.filter((state) => !reached.has(state));
  const ids = new Map(states.map((state, at) => [state, isIdentifier(state) ? state : `state${at}`]));
  const id = (state: string): string => ids.get(state) as string;
  const lines = [
    ...states.filter((state) => id(state) !== state).map((state) => `state "${escaped(state)}" as ${id(state)}`),
    ...(entered.length === 0 ? states.slice(0, 1) : entered).map((state) => `[*] --> ${id(state)}`),
    ...states.flatMap((from) => (machine[from] as readonly string[]).map((to) => `${id(from)} --> ${id(to)}`)),
    ...states.filter((state) => machine[state]?.length === 0).map((state) => `${id(state)} --> [*]`),
  ];
  return ["stateDiagram-v2", ...lines.map((line) => `    ${line}`)].join("\n");
}

/** Words of the language itself, such as `end`, and our own stand-ins are no names. */
const isIdentifier = (state: string): boolean =>
  /^[A-Za-z_]\w*$/.test(state) &&
  !/^(state\d*|end|note|direction|class|classDef|style|default|as|fork|join|choice|click|href|title|hide|scale|accTitle|accDescr)$/i.test(
    state,
  );

const escaped = (state: string): string => state.replace(/[\s"#;:\\]+/g, (found) => (found.trim() === "" ? " " : "_"));
