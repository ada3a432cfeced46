import { show } from "../../core/duration.ts";
import { checkDistinct, checkType, type Operand, parseArguments, parseOperand } from "./operands.ts";
import type { Scanner } from "./scanner.ts";
import { type Attributes, textOf, typeOf, type Value, type ValueSet, type ValueType } from "./values.ts";

/** A condition, or a part of one that holds or does not. */
export interface Condition {
  holds(item: Attributes): boolean;
  /** It stands in parentheses. */
  readonly wrapped?: true;
}

const TYPES: readonly string[] = ["S", "N", "BOOL", "NULL", "B", "L", "M", "SS", "NS", "BS"];
const SIZED: readonly ValueType[] = ["S", "B", "L", "M", "SS", "NS", "BS"];

/** Reads `size(...)`, the only function that has a value. */
export function parseSize(scanner: Scanner): Operand {
  const name = scanner.next();
  if (name !== "size") return scanner.fail(`the function ${show(name)} cannot stand here; allowed is size`);
  const [operand] = parseArguments(scanner, name, 1, () => parseOperand(scanner, parseSize));
  checkType(scanner, name, operand, SIZED);
  return { of: (item) => sizeOf(operand.of(item)), type: "N" };
}

/** Reads a function that holds or does not. */
export function parseTest(scanner: Scanner): Condition {
  const name = scanner.next();
  const read = (count: number): readonly [Operand, Operand] => {
    const operands = parseArguments(scanner, name, count, () => parseOperand(scanner, parseSize));
    if (count === 2) checkDistinct(scanner, name, operands[0], [operands[1]]);
    return operands;
  };
  switch (name) {
    case "attribute_exists":
    case "attribute_not_exists": {
      const [operand] = read(1);
      if (operand.path === undefined) return scanner.fail(`${name} was given no path`);
      return { holds: (item) => (operand.of(item) !== undefined) === (name === "attribute_exists") };
    }
    case "attribute_type": {
      const [operand, { literal }] = read(2);
      if (typeof literal !== "string" || !TYPES.includes(literal)) {
        return scanner.fail(`attribute_type was given no type; allowed are values of ${TYPES.join(", ")}`);
      }
      return { holds: (item) => is(operand.of(item), literal) };
    }
    case "begins_with": {
      const [whole, start] = read(2);
      for (const operand of [whole, start]) checkType(scanner, name, operand, ["S", "B"]);
      return { holds: (item) => beginsWith(whole.of(item), start.of(item)) };
    }
    case "contains": {
      const [whole, part] = read(2);
      return { holds: (item) => contains(whole.of(item), part.of(item)) };
    }
    default:
      return scanner.fail(`there is no function ${show(name)} in a condition`);
  }
}

const is = (value: Value | undefined, type: string): boolean => value !== undefined && typeOf(value) === type;

function sizeOf(value: Value | undefined): number | undefined {
  if (typeof value === "string" || value instanceof Uint8Array || Array.isArray(value)) return value.length;
  if (typeof value !== "object" || value === null) return undefined;
  return value instanceof Set ? value.size : Object.keys(value).length;
}

function beginsWith(whole: Value | undefined, start: Value | undefined): boolean {
  if (typeof whole === "string") return typeof start === "string" && whole.startsWith(start);
  if (!(whole instanceof Uint8Array && start instanceof Uint8Array)) return false;
  return start.every((byte, index) => byte === whole[index]);
}

function contains(whole: Value | undefined, part: Value | undefined): boolean {
  if (part === undefined || whole === undefined) return false;
  if (typeof whole === "string") return typeof part === "string" && whole.includes(part);
  if (whole instanceof Uint8Array) return part instanceof Uint8Array && Buffer.from(whole).includes(Buffer.from(part));
  if (!(whole instanceof Set || Array.isArray(whole))) return false;
  const text = textOf(part);
  return [...(whole as ValueSet | readonly Value[])].some((value) => textOf(value) === text);
}
