import { show } from "../core/duration.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import { both } from "./condition.ts";
import { isEqual } from "./equality.ts";
import type { Assignment, ItemWrite } from "./item-write.ts";

/**
 * The one write that does what both do to their item, under both conditions.
 *
 * @throws IdempotencyConfigError where they cannot both be done
 */
export function merged(one: ItemWrite, other: ItemWrite | undefined): ItemWrite {
  if (other === undefined) return refuse(one, "another kind of write", "are on the same item");
  if (one.verb === "delete" || other.verb === "delete") {
    return refuse(one, other, "are on the same item, and one of them deletes it");
  }
  const [first, second] = other.verb === "put" && one.verb === "update" ? [other, one] : [one, other];
  return {
    ...first,
    by: `${one.by} and ${other.by}`,
    assignments: first.verb === "update" ? union(first, second) : completed(first, second),
    condition: both(one.condition, other.condition),
  };
}

/** Two updates: what either does. */
function union(one: ItemWrite, other: ItemWrite): ReadonlyMap<string, Assignment> {
  const all = new Map(one.assignments);
  for (const [attribute, assignment] of other.assignments) {
    const there = all.get(attribute);
    all.set(attribute, there === undefined ? assignment : reconciled(one, other, attribute, there, assignment));
  }
  return all;
}

/** A whole item, and what another write does to it: nothing that the item would lose. */
function completed(put: ItemWrite, other: ItemWrite): ReadonlyMap<string, Assignment> {
  const all = new Map(put.assignments);
  for (const [attribute, assignment] of other.assignments) {
    const there = all.get(attribute);
    if (assignment.op === "remove") {
      if (there !== undefined) differ(put, other, attribute);
    } else if (there !== undefined) {
      all.set(attribute, reconciled(put, other, attribute, there, assignment));
    } else if (assignment.op === "set" && other.verb === "update") {
      all.set(attribute, assignment);
    } else {
      differ(put, other, attribute);
    }
  }
  const lost =
    other.verb === "put" ? [...put.assignments.keys()].find((name) => !other.assignments.has(name)) : undefined;
  if (lost !== undefined && lost !== put.writeId?.attribute) differ(put, other, lost);
  return all;
}

function reconciled(
  one: ItemWrite,
  other: ItemWrite,
  attribute: string,
  first: Assignment,
  second: Assignment,
): Assignment {
  // One id is enough: a commit is all or nothing.
  if (attribute === one.writeId?.attribute && attribute === other.writeId?.attribute) return first;
  if (first.op === "grow" && second.op === "grow") {
    const same = first.from === undefined || second.from === undefined || first.from === second.from;
    return same ? { op: "grow", from: first.from ?? second.from } : differ(one, other, attribute);
  }
  // What is set is set, whether or not something stands there.
  if (first.op === "set" && second.op === "keep") return first;
  if (first.op === "keep" && second.op === "set") return second;
  return isSame(first, second) ? first : differ(one, other, attribute);
}

function isSame(one: Assignment, other: Assignment): boolean {
  if (one.op !== other.op) return false;
  return !("value" in one && "value" in other) || isEqual(one.value, other.value);
}

const differ = (one: ItemWrite, other: ItemWrite, attribute: string): never =>
  refuse(one, other, `want different things of the attribute ${show(attribute)} of one item`);

function refuse(one: ItemWrite, other: ItemWrite | string, what: string): never {
  const names = `${one.by} and ${typeof other === "string" ? other : other.by}`;
  throw new IdempotencyConfigError(
    `${names} ${what} of table ${show(one.table)}; allowed is one write, or two that agree`,
  );
}
