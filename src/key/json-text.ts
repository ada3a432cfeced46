import { DEEPEST } from "../core/plain.ts";

/** A text cannot be read. The message quotes none of it, unlike that of `JSON.parse`. */
export class UnreadableText extends Error {
  override readonly name = "UnreadableText";
}

/**
 * The value of a JSON text, like `JSON.parse`, but no two numbers that differ are read as one:
 * a number that a double cannot hold (an integer above 2^53, say) becomes an opaque object, which
 * `canonicalJson` writes digit by digit and with which arithmetic throws.
 *
 * @throws UnreadableText where the text is not JSON; without any part of the text in the message.
 * @example
 * canonicalJson(parseJson('{"id":9007199254740993}')); // '{"id":9007199254740993}'
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnreadableText("it is not JSON");
  }
  return mayBeInexact.test(text) ? parseExactly(text, value) : value;
}

/** The digits of a number that `parseJson` kept exact, `undefined` for every other value. */
export function exactText(value: unknown): string | undefined {
  return isExact(value) ? value.digits : undefined;
}

interface ExactNumber {
  readonly digits: string;
}

/** Marks exact numbers. `valueOf` of any kind would let a sum or a comparison go wrong in silence. */
const exactNumber: object = Object.freeze({
  __proto__: null,
  [Symbol.toPrimitive](): never {
    throw new UnreadableText("it calculates with a number that a double cannot hold");
  },
});

const isExact = (value: unknown): value is ExactNumber =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === exactNumber;

/** A double holds every decimal of 15 digits; texts without a longer one or an exponent take the short way. */
const mayBeInexact = /(?:^|[[:,\s])-?(?:[\d.]{16}|\d[\d.]*[eE])/;

/** Strings, which are passed over, and numbers that a double may not hold, in a text known to be JSON. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.]{15,}(?:[eE][+-]?\d+)?|-?\d[\d.]*[eE][+-]?\d+/g;

/** `value` is what a double has made of the text. Read once more with inexact numbers as strings, it shows where those stand. */
function parseExactly(text: string, value: unknown): unknown {
  let inexact = false;
  const marked = text.replace(token, (found) => {
    if (found[0] === '"') return found;
    const decimal = decimalOf(found);
    if (decimal === decimalOf(String(Number(found)))) return found;
    inexact = true;
    return `"${decimal}"`;
  });
  return inexact ? restore(value, JSON.parse(marked), 0) : value;
}

/** Puts exact numbers in the places where one reading has a number and the other one a string. */
function restore(value: unknown, marked: unknown, depth: number): unknown {
  if (typeof value === "number") return typeof marked === "string" ? exact(marked) : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEEPEST) throw new UnreadableText(`it nests deeper than ${DEEPEST} levels`);
  const [parts, others] = [value, marked] as [Record<string, unknown>, Record<string, unknown>];
  // Each is its own property already, so that a name `__proto__` stays a name.
  for (const name of Object.keys(parts)) parts[name] = restore(parts[name], others[name], depth + 1);
  return value;
}

const exact = (digits: string): ExactNumber =>
  Object.freeze(Object.assign(Object.create(exactNumber) as object, { digits }));

/** The one spelling of a decimal number's value: plain digits up to 40 of them, else `<digits>e<exponent>`. */
function decimalOf(number: string): string {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  if (whole === "") return number;
  const all = whole + fraction;
  let from = 0;
  let to = all.length;
  while (from < to && all[from] === "0") from++;
  while (to > from && all[to - 1] === "0") to--;
  if (from === to) return "0";
  const exponent = Number(power) - fraction.length + (all.length - to);
  if (!Number.isSafeInteger(exponent)) throw new UnreadableText("it holds a number with too large an exponent");
  const digits = all.slice(from, to);
  const plain = exponent >= 0 && digits.length + exponent <= 40;
  return sign + (plain ? digits + "0".repeat(exponent) : `${digits}e${exponent}`);
}

/** A text as a number where it is spelled as JSON spells one, `undefined` otherwise. Exact, as in `parseJson`. */
export function parseNumber(text: string): unknown {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? parseJson(text) : undefined;
}
