import { randomUUID } from "node:crypto";
import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { type Clock, epochMillis } from "../core/time.ts";
import { checkText, refuse } from "./options.ts";

/** Carries the entity's type; there at compile time alone. */
declare const entity: unique symbol;

/** The names of an entity's attributes. */
export type NameOf<T> = keyof T & string;
/** Those whose values are of a type. */
export type NameOfType<T, Type> = {
  [N in NameOf<T>]-?: NonNullable<T[N]> extends Type ? N : never;
}[NameOf<T>];

/** The attributes that this library writes by itself, and what they are called in a table. */
export interface ServerMade {
  /** A fresh id for each write, by which it is recognised after a lost response. */
  readonly writeId: string;
  /** Of `putIfChanged()`: the hash of the content. */
  readonly contentHash: string;
  /** Of `putIfChanged()`: epoch milliseconds. */
  readonly createdAt: string;
  /** Of `putIfChanged()`: epoch milliseconds. */
  readonly updatedAt: string;
}

/** A table of one's own as the builders know it: what stands in it, and which of its attributes mean something. */
export interface Table<T extends object, Key extends string, State extends string, Version extends string> {
  readonly name: string;
  readonly key: readonly Key[];
  readonly state: State | undefined;
  readonly version: Version | undefined;
  readonly attributes: ServerMade;
  readonly guards: { readonly name: string; readonly key: string } | undefined;
  readonly clock: Clock;
  readonly uniqueId: () => string;
  readonly [entity]?: T;
}

/** Any handle. */
export type AnyTable = Table<object, string, string, string>;
/** What stands in the table. */
export type EntityOf<H extends AnyTable> = H extends Table<infer T, string, string, string> ? T : never;
/** The names of the primary key's attributes. */
export type KeyNameOf<H extends AnyTable> = H["key"][number] & NameOf<EntityOf<H>>;
/** The primary key of one entity. */
export type KeyOf<H extends AnyTable> = Pick<EntityOf<H>, KeyNameOf<H>>;
/** The names that the entity's state can have. */
export type StateOf<H extends AnyTable> = EntityOf<H>[NonNullable<H["state"]> & NameOf<EntityOf<H>>] & string;
/** The attributes of which the builders write the values. */
export type MadeOf<H extends AnyTable> = NonNullable<H["version"]> | keyof ServerMade;

/** An entity to be written whole: what the builders write may be left out. */
export type ItemOf<H extends AnyTable> = WithoutMade<EntityOf<H>, MadeOf<H>>;
type WithoutMade<T, Made> = T extends unknown
  ? { readonly [N in keyof T as N extends Made ? never : N]: T[N] } & {
      readonly [N in keyof T as N extends Made ? N : never]?: T[N] | undefined;
    }
  : never;

export interface TableOptions<Key extends string, State extends string, Version extends string> {
  /** The table's name or ARN. */
  readonly name: string;
  /** The attributes of the primary key: the partition key's, and the sort key's where there is one. */
  readonly key: readonly [Key] | readonly [Key, Key];
  /** The attribute that `transition()` moves. */
  readonly state?: State | undefined;
  /** The attribute that grows by one with each write. */
  readonly version?: Version | undefined;
  /** Other names for the attributes that the builders write by themselves. */
  readonly attributes?: Partial<ServerMade> | undefined;
  /** Where the guard items of `putUnique()` are kept, by the string partition key `key`; without it beside the entities. */
  readonly guards?: { readonly name: string; readonly key: string } | undefined;
  /** The clock of `createdAt` and `updatedAt`. */
  readonly clock?: Clock | undefined;
  /** Makes the ids of writes, for tests. */
  readonly uniqueId?: (() => string) | undefined;
}

const NAMES = ["name", "key", "state", "version", "attributes", "guards", "clock", "uniqueId"] as const;
const MADE: ServerMade = {
  writeId: "writeId",
  contentHash: "contentHash",
  createdAt: "createdAt",
  updatedAt: "updatedAt",
};
const BY = "table()";

/**
 * The handle of a table of one's own, typed by what stands in it. Called twice, since the first call names the
 * entity's type and the second infers the rest.
 *
 * @throws IdempotencyConfigError for an option that does not exist or cannot be used, and where two of the attributes
 * that mean something are the same
 * @example
 * const orders = table<Order>()({ name: "orders", key: ["id"] });
 */
export function table<T extends object>(): <
  const Key extends NameOf<T>,
  State extends NameOfType<T, string> = never,
  Version extends NameOfType<T, number> = never,
>(
  options: TableOptions<Key, State, Version>,
) => Table<T, Key, State, Version> {
  return (options) => {
    checkNames(BY, options, NAMES);
    const { name, key, state, version, guards, clock = systemClock, uniqueId = randomUUID } = options;
    checkText(BY, "name", name, "a table's name or its ARN");
    if (!isKey(key)) refuse(BY, "key", show(key), "[partition key] or [partition key, sort key], different names");
    for (const [option, value] of Object.entries({ state, version })) {
      if (value !== undefined && !isName(value)) refuse(BY, option, show(value), "an attribute's name");
    }
    if (guards !== undefined) checkGuards(guards);
    if (typeof clock?.now !== "function") refuse(BY, "clock", show(clock), "{ now() } that returns epoch milliseconds");
    if (typeof uniqueId !== "function") refuse(BY, "uniqueId", show(uniqueId), "a function that returns a new id");
    const attributes = checkedAttributes(options.attributes);
    refuseTwice([...key, state, version, ...Object.values(attributes)]);
    return Object.freeze({
      name,
      key: Object.freeze([...key]),
      state,
      version,
      attributes,
      guards: guards && Object.freeze({ ...guards }),
      clock,
      uniqueId,
    });
  };
}

const systemClock: Clock = { now: () => epochMillis(Date.now()) };

const isName = (name: unknown): boolean =>
  typeof name === "string" && name !== "" && name !== "__proto__" && name !== "constructor";

const isKey = (key: unknown): boolean =>
  Array.isArray(key) && (key.length === 1 || key.length === 2) && key.every(isName) && new Set(key).size === key.length;

function checkGuards(guards: { readonly name: string; readonly key: string }): void {
  checkNames(`${BY} guards`, guards, ["name", "key"]);
  checkText(BY, "guards.name", guards.name, "a table's name or its ARN");
  checkText(BY, "guards.key", guards.key, "the name of its partition key, a string");
}

function checkedAttributes(given: Partial<ServerMade> | undefined): ServerMade {
  if (given === undefined) return Object.freeze({ ...MADE });
  checkNames(`${BY} attributes`, given, Object.keys(MADE));
  const attributes = { ...MADE, ...Object.fromEntries(Object.entries(given).filter(([, name]) => name !== undefined)) };
  for (const [option, name] of Object.entries(attributes)) {
    if (!isName(name)) refuse(BY, `attributes.${option}`, show(name), "an attribute's name");
  }
  return Object.freeze(attributes);
}

function refuseTwice(names: readonly (string | undefined)[]): void {
  const given = names.filter((name) => name !== undefined);
  const twice = given.find((name, at) => given.indexOf(name) !== at);
  if (twice !== undefined)
    refuse(BY, "the attribute", `${show(twice)} for two meanings`, "one meaning for each attribute");
}
