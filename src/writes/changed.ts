import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { nowOf } from "../core/time.ts";
import type { NativeItem, PartFacts, Write } from "../core/write.ts";
import type { Condition } from "./condition.ts";
import { CANCELLED, type Cancelled, entityPart, fateOf, grown, setAll } from "./entity-write.ts";
import { hashOf } from "./hash.ts";
import type { Assignment } from "./item-write.ts";
import { keyIn } from "./key.ts";
import { snapshot } from "./native.ts";
import { refuse } from "./options.ts";
import type { AnyTable, EntityOf, KeyNameOf, MadeOf, NameOf } from "./table.ts";

/** What became of a put that changes nothing where nothing has changed. */
export type PutIfChangedOutcome<T> =
  /** Of a commit that is one request for one item. */
  | { readonly outcome: "created" | "changed" }
  /** Of a transaction, which does not say what stood there. */
  | { readonly outcome: "written" }
  /** The same content stands there. Nothing was written. */
  | { readonly outcome: "unchanged"; readonly current: T }
  | Cancelled;

/** Of a commit of this write alone. */
export type PutIfChangedAlone<T> = Exclude<PutIfChangedOutcome<T>, { readonly outcome: "written" | "cancelled" }>;

type InitialNameOf<H extends AnyTable> = Exclude<NameOf<EntityOf<H>>, KeyNameOf<H> | MadeOf<H>>;

/** Every attribute of the content, the optional ones too: `undefined` removes one. */
type ContentOf<T, Left> = T extends unknown
  ? {
      readonly [N in keyof Required<T> as N extends Left ? never : N]: Record<never, never> extends Pick<T, N & keyof T>
        ? T[N & keyof T] | undefined
        : T[N & keyof T];
    } & {
      readonly [N in keyof T as N extends Left ? N : never]?: T[N] | undefined;
    }
  : never;

export interface PutIfChangedOptions<H extends AnyTable, Initial extends string> {
  readonly table: H;
  /** The key and the content. An attribute that is `undefined` is removed; one that is not named stays. */
  readonly item: ContentOf<EntityOf<H>, MadeOf<H> | NonNullable<H["state"]> | Initial>;
  /** What a new entity begins with and a change leaves alone, such as its state; no content. */
  readonly initial?: { readonly [N in Initial]: EntityOf<H>[N & keyof EntityOf<H>] } | undefined;
  /** Attributes of the item that are written with a change, but are none. */
  readonly ignore?: readonly NameOf<EntityOf<H>>[] | undefined;
}

const BY = "putIfChanged()";

/**
 * A write that puts an entity's content where it is not there yet or differs, and changes nothing else. One
 * request alone. `createdAt` survives, `updatedAt` moves with a change only, the version, where the table has one, grows with it.
 *
 * The hash of the content decides; attributes that the builders write, the state, `initial` and `ignore` are not in it.
 *
 * @throws IdempotencyConfigError for an entity without its key, and for values that DynamoDB cannot hold
 * @example
 * const put = putIfChanged({ table: orders, item: order, initial: { status: "created" } });
 */
export function putIfChanged<H extends AnyTable, const Initial extends InitialNameOf<H> = never>(
  options: PutIfChangedOptions<H, Initial>,
): Write<PutIfChangedOutcome<EntityOf<H>>, PutIfChangedAlone<EntityOf<H>>> {
  checkNames(BY, options, ["table", "item", "initial", "ignore"]);
  const { table, ignore = [] } = options;
  const { attributes } = table;
  const item = snapshot(options.item, `${BY}: item`);
  const key = keyIn(BY, "item", table, item);
  const initial = initialOf(table, item, snapshot(options.initial ?? {}, `${BY}: initial`));
  if (!Array.isArray(ignore)) refuse(BY, "ignore", show(ignore), "a list of attributes' names");
  const made = [...table.key, table.state, table.version, ...Object.values(attributes), ...Object.keys(initial)];
  const content = without(item, made);
  const gone = Object.keys(options.item).filter((name) => !Object.hasOwn(item, name) && !made.includes(name));
  const now = nowOf(table.clock);
  const contentHash = hashOf(BY, "item", without(content, ignore));

  const assignments: (readonly [string, Assignment])[] = [
    ...setAll(content),
    ...gone.map((name) => [name, { op: "remove" }] as const),
    ...Object.entries(initial).map(([name, value]) => [name, { op: "keep", value }] as const),
    [attributes.createdAt, { op: "keep", value: now }],
    [attributes.updatedAt, { op: "set", value: now }],
    [attributes.contentHash, { op: "set", value: contentHash }],
    ...grown(table),
  ];
  const differs = { test: "differs", attribute: attributes.contentHash, value: contentHash } as const;
  // The hash does not say what was to go: it may stand there as what the hash never held.
  const standing = gone.filter((name) => !(ignore as readonly unknown[]).includes(name));
  const stands = standing.map((attribute) => ({ test: "exists", attribute }) as const);
  const condition: Condition = stands.length === 0 ? differs : { test: "any", of: [differs, ...stands] };
  const part = entityPart(table, { by: BY, verb: "update", key, assignments, condition });

  const outcome = ([facts]: readonly PartFacts[]): PutIfChangedOutcome<object> => {
    const fate = fateOf(part, facts);
    if (fate.status === "cancelled") return CANCELLED;
    if (fate.status === "refused") return { outcome: "unchanged", current: fate.found ?? {} };
    const isNew = (item: NativeItem): boolean =>
      item[attributes.createdAt] === now && (table.version === undefined || item[table.version] === 1);
    return { outcome: written(facts, isNew) };
  };
  return { parts: [part], outcome: outcome as Write<PutIfChangedOutcome<EntityOf<H>>>["outcome"] };
}

type Committed = Extract<PartFacts, { readonly status: "committed" }>;

/** Where an earlier request of ours has carried the write out, the item's own version or time of creation tells. */
function written(
  facts: PartFacts | undefined,
  isNew: (item: NativeItem) => boolean,
): "created" | "changed" | "written" {
  const known = facts as Committed;
  if (known.written !== undefined) return isNew(known.written) ? "created" : "changed";
  if (!("old" in known)) return "written";
  return known.old === undefined ? "created" : "changed";
}

function without(item: NativeItem, names: readonly unknown[]): NativeItem {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name)));
}

/** The state, wherever it is given, is where a new entity begins: only transitions move it. */
function initialOf(table: AnyTable, item: NativeItem, given: NativeItem): NativeItem {
  const { state } = table;
  const wrong = Object.keys(given).find(
    (name) => table.key.includes(name) || name === table.version || Object.values(table.attributes).includes(name),
  );
  if (wrong !== undefined) {
    refuse(BY, "initial", `one with ${show(wrong)}`, "attributes beside the key and what the builders write");
  }
  const twice = Object.keys(given).find((name) => Object.hasOwn(item, name));
  if (twice !== undefined) refuse(BY, "initial", `one with ${show(twice)}, which the item has`, "one of the two");
  return state !== undefined && Object.hasOwn(item, state) ? { ...given, [state]: item[state] } : given;
}
