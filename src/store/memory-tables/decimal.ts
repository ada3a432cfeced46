import type { Fail } from "./fail.ts";

/** DynamoDB's numbers: `digits` times ten to the power of `exponent`, with at most 38 digits. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

const MOST_DIGITS = 38;

/** The number as an item holds it: a BigInt only where no safe integer is equal. */
export function checkNumber(given: number | bigint, fail: Fail): number | bigint {
  if (typeof given === "number" && !(Math.abs(given) <= Number.MAX_SAFE_INTEGER)) {
    return fail("a number is not safe; allowed is a BigInt for what lies beyond 2^53");
  }
  return toNative(checked(fromNative(given), fail), fail);
}

/** The sum of two numbers, in decimals: 0.1 and 0.2 make 0.3. */
export function sum(one: number | bigint, other: number | bigint, fail: Fail): number | bigint {
  return toNative(checked(add(fromNative(one), fromNative(other)), fail), fail);
}

/** The first number less the second. */
export function difference(one: number | bigint, other: number | bigint, fail: Fail): number | bigint {
  const { digits, exponent } = fromNative(other);
  return toNative(checked(add(fromNative(one), { digits: -digits, exponent }), fail), fail);
}

function fromNative(value: number | bigint): Decimal {
  const [mantissa, power = "0"] = String(value).split("e") as [string, string?];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string?];
  return shortened({ digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length });
}

function toNative({ digits, exponent }: Decimal, fail: Fail): number | bigint {
  const value = exponent < 0 ? Number(`${digits}e${exponent}`) : digits * 10n ** BigInt(exponent);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  const read = fromNative(value);
  if (read.digits === digits && read.exponent === exponent && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  return fail("a result has more digits than a JavaScript number holds");
}

function add(one: Decimal, other: Decimal): Decimal {
  const exponent = Math.min(one.exponent, other.exponent);
  const scaled = ({ digits, exponent: from }: Decimal): bigint => digits * 10n ** BigInt(from - exponent);
  return shortened({ digits: scaled(one) + scaled(other), exponent });
}

/** Without zeros at the end. */
function shortened({ digits, exponent }: Decimal): Decimal {
  if (digits === 0n) return { digits, exponent: 0 };
  const zeros = /0*$/.exec(String(digits))?.[0].length ?? 0;
  return { digits: digits / 10n ** BigInt(zeros), exponent: exponent + zeros };
}

function checked(value: Decimal, fail: Fail): Decimal {
  const { length } = String(value.digits).replace("-", "");
  if (length > MOST_DIGITS) return fail(`a number has ${length} digits; allowed are ${MOST_DIGITS}`);
  const magnitude = length + value.exponent - 1;
  if (value.digits === 0n || (magnitude <= 125 && magnitude >= -130)) return value;
  return fail("a number is outside of DynamoDB's range; allowed are magnitudes from 1e-130 to below 1e126, and 0");
}
