import type { Fail } from "./fail.ts";
import type { Path } from "./paths.ts";
import { type Attributes, attributes, typeOf, type Value } from "./values.ts";

/** A value after an update from the one before it; `undefined` means that there is none. Sees the whole item as it was. */
export type Change = (old: Value | undefined, item: Attributes) => Value | undefined;

/** The changes of an update by their paths. A node has a change or children, and children of one kind. */
export interface ChangeTree {
  change?: Change;
  readonly children: Map<string | number, ChangeTree>;
}

/** Puts a change at a path; refuses paths that overlap, or that take one attribute for a list and a map. */
export function insertChange(tree: ChangeTree, path: Path, change: Change, fail: Fail): void {
  let node = tree;
  for (const step of path) {
    if (node.change !== undefined) return fail("two paths of the update overlap");
    const [sibling] = node.children.keys();
    if (sibling !== undefined && typeof sibling !== typeof step) {
      return fail("two paths of the update take one attribute for a list and for a map");
    }
    let child = node.children.get(step);
    if (child === undefined) {
      child = { children: new Map() };
      node.children.set(step, child);
    }
    node = child;
  }
  if (node.change !== undefined || node.children.size > 0) return fail("two paths of the update overlap");
  node.change = change;
}

/** The item after the update. */
export function changedItem(item: Attributes, tree: ChangeTree, fail: Fail): Attributes {
  return inMap(item, tree, item, fail);
}

function changed(old: Value | undefined, node: ChangeTree, item: Attributes, fail: Fail): Value | undefined {
  if (node.change !== undefined) return node.change(old, item);
  const [step] = node.children.keys();
  const type = old === undefined ? undefined : typeOf(old);
  if (typeof step === "number" && type === "L") return inList(old as readonly Value[], node, item, fail);
  if (typeof step === "string" && type === "M") return inMap(old as Attributes, node, item, fail);
  return fail("a path of the update leads through what is no map or list on the item");
}

function inMap(map: Attributes, { children }: ChangeTree, item: Attributes, fail: Fail): Attributes {
  const after = attributes(Object.entries(map));
  for (const [name, node] of children) {
    const value = changed(map[name], node, item, fail);
    if (value === undefined) delete after[name as string];
    else after[name as string] = value;
  }
  return after;
}

/** Indexes are those of the list before. What is set beyond its end is appended, in the order of the indexes. */
function inList(list: readonly Value[], { children }: ChangeTree, item: Attributes, fail: Fail): readonly Value[] {
  const after: (Value | undefined)[] = [...list];
  for (const [index, node] of [...children].sort(([one], [other]) => Number(one) - Number(other))) {
    const at = index as number;
    after[Math.min(at, after.length)] = changed(list[at], node, item, fail);
  }
  return after.filter((value) => value !== undefined);
}
