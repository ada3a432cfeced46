import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import type { PartFacts, Write } from "../core/write.ts";
import type { Condition } from "./condition.ts";
import { absentIn, CANCELLED, type Cancelled, entityPart, fateOf, grown, presentIn, setAll } from "./entity-write.ts";
import { checkedKey, keyIn } from "./key.ts";
import { snapshot } from "./native.ts";
import { refuse } from "./options.ts";
import { type Along, assignmentsOf } from "./set-and-remove.ts";
import type { AnyTable, EntityOf, ItemOf, KeyOf } from "./table.ts";

/** The entity has another version, or is not there (`current` is undefined). Nothing was written. */
export interface Stale<T> {
  readonly outcome: "stale";
  readonly current: T | undefined;
}

export type PutIfVersionOutcome<T> = { readonly outcome: "written"; readonly version: number } | Stale<T> | Cancelled;

export type UpdateIfVersionOutcome<T> =
  /** `version` is undefined where several were allowed and the request was part of a transaction, which tells nothing back. */
  { readonly outcome: "written"; readonly version: number | undefined } | Stale<T> | Cancelled;

export interface PutIfVersionOptions<H extends AnyTable> {
  /** A table with a `version`. */
  readonly table: H;
  /** The whole entity as it is to be; its version is written by the builder. */
  readonly item: ItemOf<H>;
  /** The version that must stand there, 0 for none; without it the item's own. */
  readonly version?: number | undefined;
}

export interface UpdateIfVersionOptions<H extends AnyTable> extends Along<H> {
  /** A table with a `version`. */
  readonly table: H;
  readonly key: KeyOf<H>;
  /** The version that must stand there, or one of several, or any: what `versionFrom()` gives. */
  readonly version: number | readonly number[] | "any";
}

/** The most versions that DynamoDB takes in one IN. */
const MOST_VERSIONS = 100;

/**
 * A write that replaces an entity where it still has the version that was read, or creates it with version 1. The
 * version grows by one. One request alone.
 *
 * @throws IdempotencyConfigError for a version that is no whole number, a table without `version`, an entity without its key
 * @example
 * const rename = putIfVersion({ table: orders, item: { ...storedOrder, amount: 5 }, version: 3 });
 */
export function putIfVersion<H extends AnyTable>(
  options: PutIfVersionOptions<H>,
): Write<PutIfVersionOutcome<EntityOf<H>>> {
  const BY = "putIfVersion()";
  checkNames(BY, options, ["table", "item", "version"]);
  const { table } = options;
  const attribute = versionOf(BY, table);
  const { [attribute]: own = 0, ...item } = snapshot(options.item, `${BY}: item`);
  const from: unknown = options.version ?? own;
  if (!isVersion(from) && from !== 0)
    refuse(BY, "version", show(from), "a whole number from 0, for an item that is not there yet");
  const { writeId, contentHash } = table.attributes;
  const { [writeId]: _, [contentHash]: __, ...content } = item;
  const part = entityPart(table, {
    by: BY,
    verb: "put",
    key: keyIn(BY, "item", table, item),
    assignments: [...setAll(content).filter(([name]) => !table.key.includes(name)), ...grown(table, from)],
    condition: from === 0 ? absentIn(table) : { test: "equals", attribute, value: from },
  });
  const outcome = ([facts]: readonly PartFacts[]): PutIfVersionOutcome<object> => {
    const fate = fateOf(part, facts);
    if (fate.status === "committed") return { outcome: "written", version: from + 1 };
    return fate.status === "cancelled" ? CANCELLED : { outcome: "stale", current: fate.found };
  };
  return { parts: [part], outcome: outcome as Write<PutIfVersionOutcome<EntityOf<H>>>["outcome"] };
}

/**
 * A write that changes some attributes of an entity where it still has the version that was read. The version grows by
 * one; without `set` and `remove` it is all that changes. One request alone.
 *
 * @throws IdempotencyConfigError for a version that is no whole number from 1, a table without `version`, an entity without its key
 * @example
 * const change = updateIfVersion({ table: orders, key: { id: "o-1" }, version: 3, set: { amount: 5 } });
 */
export function updateIfVersion<H extends AnyTable>(
  options: UpdateIfVersionOptions<H>,
): Write<UpdateIfVersionOutcome<EntityOf<H>>> {
  const BY = "updateIfVersion()";
  checkNames(BY, options, ["table", "key", "version", "set", "remove"]);
  const { table, version } = options;
  const attribute = versionOf(BY, table);
  const wanted = version === "any" ? undefined : checkedVersions(BY, version);
  const only = wanted?.length === 1 ? wanted[0] : undefined;
  const part = entityPart(table, {
    by: BY,
    verb: "update",
    key: checkedKey(BY, table, options.key),
    assignments: [...assignmentsOf(BY, table, options), ...grown(table, only)],
    condition: wanted === undefined ? presentIn(table) : oneOf(table, attribute, wanted),
  });
  const outcome = ([facts]: readonly PartFacts[]): UpdateIfVersionOutcome<object> => {
    const fate = fateOf(part, facts);
    if (fate.status === "cancelled") return CANCELLED;
    if (fate.status === "refused") return { outcome: "stale", current: fate.found };
    return { outcome: "written", version: only === undefined ? grownTo(facts, attribute) : only + 1 };
  };
  return { parts: [part], outcome: outcome as Write<UpdateIfVersionOutcome<EntityOf<H>>>["outcome"] };
}

/** What the request told of the item. */
function grownTo(facts: PartFacts | undefined, attribute: string): number | undefined {
  if (facts?.status !== "committed") return undefined;
  if (facts.written !== undefined) return facts.written[attribute];
  return "old" in facts ? Number(facts.old?.[attribute] ?? 0) + 1 : undefined;
}

function versionOf(by: string, { version }: AnyTable): string {
  return version ?? refuse(by, "table", "one without a version", "a table() with the option version");
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

function checkedVersions(by: string, version: unknown): readonly number[] {
  const allowed = "a whole number from 1, a list of at most 100 of them, or 'any'";
  const versions: readonly unknown[] = Array.isArray(version) ? version : [version];
  const wrong = versions.find((one) => !isVersion(one));
  if (wrong !== undefined || versions.includes(undefined)) refuse(by, "version", show(wrong), allowed);
  if (versions.length > MOST_VERSIONS) refuse(by, "version", `a list of ${versions.length}`, allowed);
  return [...new Set(versions as readonly number[])];
}

/** No version at all holds nowhere. */
function oneOf(table: AnyTable, attribute: string, versions: readonly number[]): Condition {
  if (versions.length === 0) return { test: "all", of: [presentIn(table), absentIn(table)] };
  return { test: "oneOf", attribute, values: versions };
}
