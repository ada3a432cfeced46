import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import type { PartFacts, Write } from "../core/write.ts";
import type { Condition } from "./condition.ts";
import { CANCELLED, type Cancelled, entityPart, fateOf, grown } from "./entity-write.ts";
import { checkedKey } from "./key.ts";
import { checkMachine, leadsTo, listed, type Machine, type TargetsOf } from "./machine.ts";
import { refuse } from "./options.ts";
import { type Along, assignmentsOf } from "./set-and-remove.ts";
import type { AnyTable, EntityOf, KeyOf, StateOf } from "./table.ts";
import { conditionsOf, type When } from "./when.ts";

/** What became of a transition. */
export type TransitionOutcome<T, State extends string> =
  | { readonly outcome: "moved"; readonly state: State }
  /** The target had been reached before. Nothing was written: answer success, without side effects. */
  | { readonly outcome: "already"; readonly state: State; readonly current: T }
  /**
   * It stands in another state, a condition of `when` does not hold, or it is not there (`state` and `current` are
   * undefined). Nothing was written.
   */
  | { readonly outcome: "illegal"; readonly state: State | undefined; readonly current: T | undefined }
  | Cancelled;

export interface TransitionOptions<H extends AnyTable, M extends Machine<StateOf<H>>, From extends StateOf<H>>
  extends Along<H> {
  /** A table with a `state`. */
  readonly table: H;
  readonly key: KeyOf<H>;
  /** The state, or the states, that it may be in. */
  readonly from: From | readonly From[];
  readonly to: TargetsOf<M, From>;
  readonly machine: M & { readonly [S in Exclude<keyof M, StateOf<H>>]: never };
  /** What must hold of other attributes. */
  readonly when?: When<EntityOf<H>> | undefined;
}

const BY = "transition()";
const NAMES = ["table", "key", "from", "to", "machine", "when", "set", "remove"] as const;

/**
 * A write that moves an entity from one state to another, where the machine allows it and nowhere else. One request
 * alone, a transaction where the machine leads back to `from`: a repetition after a lost answer could else move it twice. The
 * table's version, where it has one, grows.
 *
 * @throws IdempotencyConfigError for an illegal machine or move, a table without `state`, an entity without its key
 * @example
 * const machine = { created: ["paid", "cancelled"], paid: ["shipped"], shipped: [], cancelled: [] } as const;
 * const pay = transition({ table: orders, key: { id: "o-1" }, from: "created", to: "paid", machine });
 */
export function transition<H extends AnyTable, const M extends Machine<StateOf<H>>, const From extends StateOf<H>>(
  options: TransitionOptions<H, M, From>,
): Write<TransitionOutcome<EntityOf<H>, StateOf<H>>> {
  checkNames(BY, options, NAMES);
  const { table, machine, when } = options;
  const to: string = options.to;
  const { state } = table;
  if (state === undefined) refuse(BY, "table", "one without a state", "a table() with the option state");
  const from = checkedMove(machine, options.from, to);
  const along = assignmentsOf(BY, table, options);
  const inState: Condition = { test: "oneOf", attribute: state, values: from };
  const part = entityPart(table, {
    by: BY,
    verb: "update",
    key: checkedKey(BY, table, options.key),
    assignments: [[state, { op: "set", value: to }], ...along, ...grown(table)],
    condition: { test: "all", of: [inState, ...conditionsOf(BY, when)] },
    mayRepeat: leadsTo(machine, to, from),
  });

  const outcome = ([facts]: readonly PartFacts[]): TransitionOutcome<object, string> => {
    const fate = fateOf(part, facts);
    if (fate.status === "committed") return { outcome: "moved", state: to };
    if (fate.status === "cancelled") return CANCELLED;
    const current = fate.found;
    const there: string | undefined = current?.[state];
    if (current !== undefined && there === to) return { outcome: "already", state: to, current };
    return { outcome: "illegal", state: there, current };
  };
  return { parts: [part], outcome: outcome as Write<TransitionOutcome<EntityOf<H>, StateOf<H>>>["outcome"] };
}

/** The states that the move may start from: the machine allows it from each of them. */
function checkedMove(machine: unknown, given: unknown, to: unknown): readonly string[] {
  checkMachine(BY, machine);
  const states = Object.keys(machine);
  const from: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (from.length === 0) refuse(BY, "from", "an empty list", listed(states));
  const unknown = from.findIndex((state) => !states.includes(state as string));
  if (unknown !== -1) refuse(BY, "from", show(from[unknown]), listed(states));
  if (!states.includes(to as string)) refuse(BY, "to", show(to), listed(states));
  for (const state of from as readonly string[]) {
    const targets = machine[state] as readonly string[];
    if (!targets.includes(to as string)) refuse(BY, "to", `${show(to)} from ${show(state)}`, listed(targets));
  }
  return [...(from as readonly string[])];
}
