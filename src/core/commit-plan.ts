import { show } from "./duration.ts";
import { IdempotencyConfigError } from "./errors.ts";
import { DEEPEST, isPlainObject, isRecord } from "./plain.ts";
import type { NativeItem, PartFacts, Writable, Write, WriteAction, WritePart } from "./write.ts";

/** A transaction's limit is 100 actions; one of them is the record's. */
const MOST_ACTIONS = 99;

/** What became of one action of a commit, by its place in the plan. */
export type ActionFacts = PartFacts;

/** The actions of several writes, one for each item, and the way back from their fates to the writes' outcomes. */
export interface CommitPlan {
  /** Asked of the writes when first needed. */
  actions(): readonly WriteAction[];
  /** For each action: the ids that its writes leave in the item. Found there, the action was carried out. */
  readonly writeIds: readonly (readonly string[])[];
  /** For each action: the index of the first write that it belongs to. */
  readonly writeOf: readonly number[];
  /** The outcome of each write, in their order, from what became of each action. */
  outcomes(facts: readonly ActionFacts[]): readonly unknown[];
}

const KINDS = ["Put", "Update", "Delete", "ConditionCheck"] as const;
type Kind = (typeof KINDS)[number];

/** One action in the making. */
interface Slot {
  readonly table: string;
  /** `undefined`: a plain Put, whose key nobody has named. */
  readonly key: NativeItem | undefined;
  readonly item: NativeItem | undefined;
  readonly write: number;
  part: WritePart | undefined;
  readonly plain: WriteAction | undefined;
  readonly writeIds: string[];
}

/**
 * Puts the writes of one commit into actions, one for each item: DynamoDB refuses two on one item, and
 * DynamoDB Local carries both out.
 *
 * @throws IdempotencyConfigError for what is no write, for two actions on one item that cannot be one, and
 * for more than 99 items
 */
export function planCommit(writes: readonly Writable[]): CommitPlan {
  for (const [index, write] of writes.entries()) if (!isWrite(write)) checked(write, index);
  const slots: Slot[] = [];
  /** For each write: the slots of its parts, in their order. */
  const slotsOf = writes.map((write, index) =>
    isWrite(write)
      ? write.parts.map((part) => place(slots, slotOfPart(part, index)))
      : [place(slots, slotOfAction(write, index))],
  );
  refuseSharedItems(slots);
  if (slots.length > MOST_ACTIONS) {
    throw new IdempotencyConfigError(
      `a commit of ${slots.length} items; allowed are ${MOST_ACTIONS} beside the record`,
    );
  }
  let actions: readonly WriteAction[] | undefined;
  return {
    actions() {
      actions ??= slots.map((slot) => slot.part?.action() ?? (slot.plain as WriteAction));
      return actions;
    },
    writeIds: slots.map(({ writeIds }) => writeIds),
    writeOf: slots.map(({ write }) => write),
    outcomes: (facts) =>
      writes.map((write, index) => {
        const own = (slotsOf[index] as number[]).map((slot) => facts[slot] as ActionFacts);
        return isWrite(write) ? write.outcome(own) : plainOutcome(own[0] as ActionFacts);
      }),
  };
}

const isWrite = (write: Writable): write is Write =>
  typeof (write as Partial<Write> | null)?.outcome === "function" && Array.isArray((write as Partial<Write>).parts);

function plainOutcome(facts: ActionFacts): unknown {
  if (facts.status === "committed") return { outcome: "written" };
  return facts.status === "refused" ? { outcome: "refused", item: facts.found } : { outcome: "cancelled" };
}

function slotOfPart(part: WritePart, write: number): Slot {
  const { table, key, writeId } = part;
  return {
    table,
    key,
    item: undefined,
    write,
    part,
    plain: undefined,
    writeIds: writeId === undefined ? [] : [writeId],
  };
}

function slotOfAction(plain: WriteAction, write: number): Slot {
  const kind = kindOf(plain) as Kind;
  const { TableName } = plain[kind] as { TableName: string };
  const item = plain.Put?.Item;
  const key = kind === "Put" ? undefined : (plain[kind] as { Key: NativeItem }).Key;
  return { table: TableName, key, item, write, part: undefined, plain, writeIds: [] };
}

/** The index of the slot: a new one, or that of a part on the same item that can be merged with. */
function place(slots: Slot[], slot: Slot): number {
  const { part } = slot;
  if (part !== undefined) {
    const index = slots.findIndex((other) => other.part !== undefined && meets(other, slot, []));
    const other = slots[index];
    if (other?.part?.merge !== undefined) {
      other.part = other.part.merge(part);
      other.writeIds.push(...slot.writeIds);
      return index;
    }
  }
  return slots.push(slot) - 1;
}

function refuseSharedItems(slots: readonly Slot[]): void {
  const keyNames = new Map<string, readonly string[]>();
  for (const { table, key } of slots) if (key !== undefined) keyNames.set(table, Object.keys(key));
  for (const [index, slot] of slots.entries()) {
    const other = slots.slice(0, index).find((earlier) => meets(earlier, slot, keyNames.get(slot.table) ?? []));
    if (other === undefined) continue;
    throw new IdempotencyConfigError(
      `write ${slot.write} is on the same item of table ${show(slot.table)} as write ${other.write}; allowed is one action for each item`,
    );
  }
}

function meets(one: Slot, other: Slot, keyNames: readonly string[]): boolean {
  if (one.table !== other.table) return false;
  const [first, second] = [keyText(one, keyNames), keyText(other, keyNames)];
  return first !== undefined && first === second;
}

/** The primary key as a text to compare; `undefined` where the names of the key's attributes are not known. */
function keyText({ key, item }: Slot, keyNames: readonly string[]): string | undefined {
  const names = key === undefined ? keyNames : Object.keys(key);
  const values = key ?? item;
  if (names.length === 0 || values === undefined) return undefined;
  return JSON.stringify([...names].sort().map((name) => [name, typeOf(values[name]), textOf(values[name])]));
}

/** A number and a BigInt are one type to DynamoDB. */
const typeOf = (value: unknown): string => (typeof value === "bigint" ? "number" : typeof value);

const textOf = (value: unknown): string =>
  value instanceof Uint8Array ? [...value].join() : typeof value === "object" ? JSON.stringify(value) : String(value);

/**
 * A write as it is now, whatever its owner does with its objects afterwards.
 *
 * @throws IdempotencyConfigError for what is no write
 */
export function snapshot(write: Writable, index: number): Writable {
  return isWrite(write) ? write : (copyOf(checked(write, index)) as WriteAction);
}

/** Plain objects, arrays, sets and maps are copied; other values (wrapped numbers) are the marshaller's own. */
function copyOf(value: unknown, depth = 0): unknown {
  if (depth > DEEPEST) throw new IdempotencyConfigError(`a write nests deeper than ${DEEPEST} levels`);
  if (Array.isArray(value)) return value.map((inner) => copyOf(inner, depth + 1));
  if (value instanceof Set) return new Set([...value].map((inner) => copyOf(inner, depth + 1)));
  if (value instanceof Map) return new Map([...value].map(([name, inner]) => [name, copyOf(inner, depth + 1)]));
  if (value instanceof Uint8Array) return new Uint8Array(value);
  // The SDK would leave it out without a word.
  if (typeof value === "function") throw new IdempotencyConfigError("a write holds a function; allowed are values");
  if (!isPlainObject(value)) return value;
  // An undefined property equals an absent one.
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([name, inner]) => [name, copyOf(inner, depth + 1)]));
}

/** The kind of an action; `undefined` where it is none, or several in one. */
function kindOf(action: WriteAction): Kind | undefined {
  const kinds = KINDS.filter((kind) => action[kind] !== undefined);
  return kinds.length === 1 ? kinds[0] : undefined;
}

function checked(action: WriteAction, index: number): WriteAction {
  const refuse = (what: string): never => {
    throw new IdempotencyConfigError(`write ${index} ${what}`);
  };
  const allowed = `allowed is an object with one of ${KINDS.join(", ")}, or a write of lambda-once/writes`;
  if (typeof action !== "object" || action === null) return refuse(`is ${show(action)}; ${allowed}`);
  const kind = kindOf(action);
  if (kind === undefined)
    return refuse(`has ${Object.keys(action).slice(0, 5).join(", ") || "nothing in it"}; ${allowed}`);
  const request = action[kind] as unknown as Readonly<Record<string, unknown>>;
  const isText = (name: string): boolean => typeof request[name] === "string" && request[name] !== "";
  const isItem = (name: string): boolean => {
    const value = request[name];
    return isRecord(value) && Object.keys(value).length > 0;
  };
  if (!isText("TableName")) return refuse(`has the TableName ${show(request["TableName"])}; allowed is a table's name`);
  const keyed = kind === "Put" ? "Item" : "Key";
  if (!isItem(keyed)) return refuse(`is a ${kind} without ${keyed}; allowed is an object of native values`);
  const expression = { Update: "UpdateExpression", ConditionCheck: "ConditionExpression" }[kind as string];
  if (expression !== undefined && !isText(expression)) return refuse(`is a ${kind} without ${expression}`);
  return action;
}
