import { gunzipSync } from "node:zlib";
import {
  type InputSignature,
  TYPE_ANY,
  TYPE_ARRAY,
  TYPE_EXPREF,
  TYPE_NULL,
  TYPE_NUMBER,
  TYPE_OBJECT,
  TYPE_STRING,
} from "@jmespath-community/jmespath";
import { isPlainObject, kindOf } from "../core/plain.ts";
import { canonicalJson } from "./canonical.ts";
import { exactText, parseJson, parseNumber, UnreadableText } from "./json-text.ts";

/** Evaluates an expression reference (`&name`) against a value. */
export type Evaluate = (reference: unknown, value: unknown) => unknown;

/** A JMESPath function of ours: its arguments have been counted and checked by type. */
export interface KeyFunction {
  readonly signature: InputSignature[];
  readonly run: (args: readonly unknown[], evaluate: Evaluate) => unknown;
}

/** What `base64_gzip()` may grow to, in bytes: more than any Lambda payload holds, too little for a bomb. */
const LARGEST = 16 * 1024 * 1024;

/** The entries of an object in the order of their names. */
export function byName(value: unknown): [string, unknown][] {
  return Object.entries(objectOf(value)).sort(([a], [b]) => (a < b ? -1 : 1));
}

function text(...more: InputSignature["types"]): InputSignature[] {
  return [{ types: [TYPE_STRING, ...more] }];
}

/**
 * The functions added to JMESPath (`json`, `base64`, `base64_gzip`), and the library's own ones that lose
 * or join together what a key must keep apart, or that an input can drive out of time and memory.
 */
export const keyFunctions: Readonly<Record<string, KeyFunction>> = {
  json: {
    signature: text(TYPE_OBJECT, TYPE_ARRAY, TYPE_NULL),
    run: ([value]) => (typeof value === "string" ? parseJson(value) : value),
  },
  base64: {
    signature: text(TYPE_NULL),
    run: ([value]) => (typeof value === "string" ? utf8(bytesOf(value)) : null),
  },
  base64_gzip: {
    signature: text(TYPE_NULL),
    run: ([value]) => (typeof value === "string" ? utf8(gunzip(bytesOf(value))) : null),
  },
  // The library assigns, which loses or obeys a name `__proto__`, and passes over later arguments that are no objects.
  merge: {
    signature: [{ types: [TYPE_OBJECT], variadic: true }],
    run: (args) => Object.fromEntries(args.flatMap((one) => Object.entries(objectOf(one)))),
  },
  // The library compares by identity, and each number that a double cannot hold is an object of its own.
  contains: {
    signature: [{ types: [TYPE_STRING, TYPE_ARRAY] }, { types: [TYPE_ANY] }],
    run: ([all, one]) => {
      const exact = exactText(one);
      if (exact !== undefined && Array.isArray(all)) return all.some((other) => exactText(other) === exact);
      if (typeof all === "string" && typeof one !== "string") return null;
      return (all as string).includes(one as string);
    },
  },
  // The library gives these in the order of the input's names, which says nothing: equal inputs would be different keys.
  keys: { signature: [{ types: [TYPE_OBJECT] }], run: ([one]) => byName(one).map(([name]) => name) },
  values: { signature: [{ types: [TYPE_OBJECT] }], run: ([one]) => byName(one).map(([, value]) => value) },
  items: { signature: [{ types: [TYPE_OBJECT] }], run: ([one]) => byName(one) },
  // The library looks a group up by name along the prototype.
  group_by: {
    signature: [{ types: [TYPE_ARRAY] }, { types: [TYPE_EXPREF] }],
    run: ([list, reference], evaluate) => {
      const groups = new Map<string, unknown[]>();
      for (const one of list as readonly unknown[]) {
        const name = evaluate(reference, one);
        if (typeof name !== "string")
          throw new UnreadableText("group_by() meets a group that is not named by a string");
        const group = groups.get(name);
        if (group === undefined) groups.set(name, [one]);
        else group.push(one);
      }
      return Object.fromEntries(groups);
    },
  },
  // The library gives 'null' for null, which all events without the value would share, and a text that
  // depends on the order of names.
  to_string: {
    signature: [{ types: [TYPE_ANY] }],
    run: ([value]) =>
      typeof value === "string" || value === null || value === undefined ? (value ?? null) : canonicalJson(value),
  },
  // The library gives 0 for '' and ' ', and one number for two integers above 2^53.
  to_number: {
    signature: [{ types: [TYPE_ANY] }],
    run: ([value]) => {
      if (typeof value === "number" || exactText(value) !== undefined) return value;
      return typeof value === "string" ? (parseNumber(value) ?? null) : null;
    },
  },
  // The library builds a list as long as the count, and obeys `$&` in the new text.
  replace: {
    signature: [...text(), ...text(), ...text(), { types: [TYPE_NUMBER], optional: true }],
    run: ([subject, old, by, count]) => {
      if (count !== undefined && !(Number.isInteger(count) && (count as number) >= 0)) {
        throw new UnreadableText("replace() takes a whole number of times");
      }
      const parts = (subject as string).split(old as string);
      const times = Math.min((count as number | undefined) ?? parts.length, parts.length - 1);
      return [parts.slice(0, times + 1).join(by as string), ...parts.slice(times + 1)].join(old as string);
    },
  },
  // The library's patterns take quadratic time over spaces and stop at a line's end.
  trim: trimming(true, true),
  trim_left: trimming(true, false),
  trim_right: trimming(false, true),
};

function trimming(left: boolean, right: boolean): KeyFunction {
  return {
    signature: [...text(), { types: [TYPE_STRING], optional: true }],
    run: ([value, given]) => {
      const subject = value as string;
      const drops = (char: string): boolean => (given ? (given as string).includes(char) : /[\s\u0085]/.test(char));
      let from = 0;
      let to = subject.length;
      while (left && from < to && drops(subject[from] as string)) from++;
      while (right && to > from && drops(subject[to - 1] as string)) to--;
      return subject.slice(from, to);
    },
  };
}

function objectOf(value: unknown): Record<string, unknown> {
  if (!isPlainObject(value)) throw new UnreadableText(`it takes objects and meets ${kindOf(value)}`);
  return value;
}

function bytesOf(base64: string): Buffer {
  const body = base64.replace(/={1,2}$/, "");
  const complete = body.length === base64.length ? body.length % 4 !== 1 : base64.length % 4 === 0;
  if (!complete || !/^[\w+/-]*$/.test(body)) throw new UnreadableText("it is not base64");
  return Buffer.from(body, "base64");
}

/** Strictly: a replacement character would make one text of different bytes. */
function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UnreadableText("its bytes are not UTF-8 text");
  }
}

function gunzip(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: LARGEST });
  } catch (error) {
    const tooLarge = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
    throw new UnreadableText(tooLarge ? `it unpacks to more than ${LARGEST} bytes` : "it is not gzip");
  }
}
