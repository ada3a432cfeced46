import { isRecord } from "../core/plain.ts";
import { type Encoded, RECORD_VERSION } from "../core/record.ts";
import type { EpochMillis, EpochSeconds } from "../core/time.ts";
import type { Item } from "./attributes.ts";

/** Above it a number of seconds lies beyond the year 5000, below it one of milliseconds before 1974: the other unit is meant. */
export const EVIDENT_UNIT = 1e11;

/** Encodings that store a value by their name alone. */
const WITHOUT_DATA: ReadonlySet<string> = new Set(["undefined"]);

/** Reads the attributes of one item by type. */
export interface ItemReader {
  /** The first thing that is wrong with the item: an attribute's name and what it should be, never its contents. */
  reason(): string | undefined;
  has(name: string): boolean;
  text(name: string): string;
  version(name: string): void;
  count(name: string): number;
  millis(name: string): EpochMillis;
  seconds(name: string): EpochSeconds;
  /** A time that nothing is decided by. */
  moment(name: string): EpochMillis;
  result(): Encoded;
  /** Absent steps are none: every claim writes them, and an item repaired by hand may lack them. */
  steps(name: string): Readonly<Record<string, Encoded>>;
}

/** A reader that keeps the first reason to refuse the item, and goes on with blanks. */
export function itemReader(item: Item): ItemReader {
  let reason: string | undefined;
  const refuse = (why: string): void => {
    reason ??= why;
  };
  const has = (name: string): boolean => typeof item === "object" && item !== null && Object.hasOwn(item, name);

  const typed = <T>(name: string, types: string, pick: (value: unknown) => T | undefined): T | undefined => {
    if (!has(name)) {
      refuse(`the attribute ${name} is missing`);
      return undefined;
    }
    const value = pick(item[name]);
    if (value === undefined) refuse(`the attribute ${name} is not ${types}`);
    return value;
  };
  const integer = (name: string): number | undefined => {
    const digits = typed(name, "a number", (value) => member(value, "N", isString));
    if (digits === undefined) return undefined;
    if (/^(0|[1-9]\d{0,15})$/.test(digits) && Number.isSafeInteger(Number(digits))) return Number(digits);
    refuse(`the attribute ${name} is not a safe, whole, positive number`);
    return undefined;
  };

  return {
    reason: () => reason,
    has,
    text: (name) => typed(name, "a string", (value) => member(value, "S", isString)) ?? "",
    version(name) {
      const version = integer(name);
      if (version === undefined || version === RECORD_VERSION) return;
      const age =
        version > RECORD_VERSION ? `newer than ${RECORD_VERSION}, the newest that is understood here` : "unknown";
      refuse(`record version ${version} is ${age}`);
    },
    count(name) {
      const count = integer(name);
      if (count === 0) refuse(`the attribute ${name} is 0 and must be at least 1`);
      return count ?? 0;
    },
    moment: (name) => (integer(name) ?? 0) as EpochMillis,
    millis(name) {
      const at = integer(name);
      if (at !== undefined && at < EVIDENT_UNIT) refuse(`the attribute ${name} is not in milliseconds since 1970`);
      return (at ?? 0) as EpochMillis;
    },
    seconds(name) {
      const at = integer(name);
      if (at !== undefined && at > EVIDENT_UNIT) refuse(`the attribute ${name} is not in seconds since 1970`);
      return (at ?? 0) as EpochSeconds;
    },
    result() {
      const encoding = typed("encoding", "a string", (value) => member(value, "S", isString)) ?? "";
      if (!has("result") && WITHOUT_DATA.has(encoding)) return { encoding };
      const bytes = typed("result", "a string or bytes", toData);
      return bytes === undefined ? { encoding } : { encoding, data: bytes };
    },
    steps(name) {
      if (!has(name)) return {};
      const entries = Object.entries(typed(name, "a map", (value) => member(value, "M", isObject)) ?? {});
      const steps = entries.map(([step, value]) => [step, toStep(value)] as const);
      if (steps.some(([, step]) => step === undefined))
        refuse(`the attribute ${name} holds a step without a readable encoding or data`);
      return Object.fromEntries(steps) as Record<string, Encoded>;
    },
  };
}

const isString = (value: unknown): value is string => typeof value === "string";
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
const isObject = (value: unknown): value is Record<string, unknown> => isRecord(value) && !isBytes(value);

/** The member `type` of an attribute value, where it has it and it is what it says. */
function member<T>(value: unknown, type: string, is: (value: unknown) => value is T): T | undefined {
  if (!isObject(value) || !Object.hasOwn(value, type)) return undefined;
  const inner = value[type];
  return is(inner) ? inner : undefined;
}

function toData(value: unknown): string | Uint8Array | undefined {
  const bytes = member(value, "B", isBytes);
  return bytes === undefined ? member(value, "S", isString) : new Uint8Array(bytes);
}

function toStep(value: unknown): Encoded | undefined {
  const step = member(value, "M", isObject);
  const encoding = step && member(step["encoding"], "S", isString);
  if (step === undefined || encoding === undefined) return undefined;
  if (!Object.hasOwn(step, "data")) return { encoding };
  const bytes = toData(step["data"]);
  return bytes === undefined ? undefined : { encoding, data: bytes };
}
