import { type ChangeTree, insertChange } from "./changes.ts";
import type { Fail } from "./fail.ts";
import { checkType, isCall, type Operand, parenthesised, parseLiteral, parseOperand } from "./operands.ts";
import { parsePath } from "./paths.ts";
import type { Scanner } from "./scanner.ts";
import { addTo, minus, plus, takeFrom } from "./update-arithmetic.ts";
import { parseIfNotExists, parseUpdateCall } from "./update-functions.ts";
import type { Attributes, Value } from "./values.ts";

const SECTIONS = ["SET", "REMOVE", "ADD", "DELETE"] as const;
type Section = (typeof SECTIONS)[number];

/** Reads a whole UpdateExpression. */
export function parseUpdate(scanner: Scanner): ChangeTree {
  const tree: ChangeTree = { children: new Map() };
  const seen = new Set<Section>();
  while (scanner.peek() !== "") {
    const section = SECTIONS.find((name) => scanner.take(name));
    if (section === undefined) return scanner.unexpected(seen.size === 0 ? SECTIONS.join(", ") : "',' or a section");
    if (seen.has(section)) return scanner.fail(`the section ${section} stands twice`);
    seen.add(section);
    do parseAction[section](scanner, tree);
    while (scanner.take(","));
  }
  return tree;
}

const parseAction: Readonly<Record<Section, (scanner: Scanner, tree: ChangeTree) => void>> = {
  SET(scanner, tree) {
    const path = parsePath(scanner);
    scanner.expect("=");
    const value = parseSetValue(scanner);
    insertChange(tree, path, (_, item) => present(value.of(item), scanner.fail), scanner.fail);
  },
  REMOVE(scanner, tree) {
    insertChange(tree, parsePath(scanner), () => undefined, scanner.fail);
  },
  ADD(scanner, tree) {
    const path = parsePath(scanner);
    const operand = parseLiteral(scanner);
    checkType(scanner, "ADD", operand, ["N", "SS", "NS", "BS"]);
    insertChange(tree, path, (old) => addTo(old, operand.literal, scanner.fail), scanner.fail);
  },
  DELETE(scanner, tree) {
    const path = parsePath(scanner);
    const operand = parseLiteral(scanner);
    checkType(scanner, "DELETE", operand, ["SS", "NS", "BS"]);
    insertChange(tree, path, (old) => takeFrom(old, operand.literal, scanner.fail), scanner.fail);
  },
};

/** A whole right-hand side: an operand, or two with a sign between. */
interface SetValue extends Operand {
  readonly sign?: true;
}

function parseSetValue(scanner: Scanner): SetValue {
  const left = scanner.take("(") ? parenthesised(scanner, parseSetValue(scanner)) : parseFirst(scanner);
  const sign = scanner.peek();
  if (left.sign === true || (sign !== "+" && sign !== "-")) return left;
  scanner.next();
  const right = parseOperand(scanner, parseIfNotExists);
  for (const operand of [left, right]) checkType(scanner, sign, operand, ["N"]);
  const combine = sign === "+" ? plus : minus;
  const valueIn = (operand: Operand, item: Attributes): Value => present(operand.of(item), scanner.fail);
  return { of: (item) => combine(valueIn(left, item), valueIn(right, item), scanner.fail), sign: true };
}

const parseFirst = (scanner: Scanner): SetValue =>
  isCall(scanner) ? parseUpdateCall(scanner) : parseOperand(scanner, parseIfNotExists);

function present(value: Value | undefined, fail: Fail): Value {
  return value === undefined ? fail("a value is taken from an attribute that the item does not have") : value;
}
