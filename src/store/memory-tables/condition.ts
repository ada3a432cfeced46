import { type Condition, parseSize, parseTest } from "./condition-functions.ts";
import { checkDistinct, checkType, isCall, type Operand, parenthesised, parseOperand } from "./operands.ts";
import type { Scanner } from "./scanner.ts";
import { order, textOf, typeOf, type Value, type ValueType } from "./values.ts";

/** The types that have an order. */
const ORDERED: readonly ValueType[] = ["S", "N", "B"];

const MOST_IN = 100;

/** Reads a whole ConditionExpression. */
export function parseCondition(scanner: Scanner): Condition {
  const condition = asCondition(scanner, parseOr(scanner));
  return scanner.peek() === "" ? condition : scanner.unexpected("AND, OR or the end");
}

/** What a parenthesis opens is known at its end only: `(a)` may be an operand, `(a = :a)` is a condition. */
type Part = Condition | Operand;

const isCondition = (part: Part): part is Condition => "holds" in part;

const asCondition = (scanner: Scanner, part: Part): Condition =>
  isCondition(part) ? part : scanner.unexpected("a comparator, BETWEEN or IN");

function parseOr(scanner: Scanner): Part {
  const first = parseAnd(scanner);
  if (scanner.peek().toUpperCase() !== "OR") return first;
  const parts = [asCondition(scanner, first)];
  while (scanner.take("OR")) parts.push(asCondition(scanner, parseAnd(scanner)));
  return { holds: (item) => parts.some((part) => part.holds(item)) };
}

function parseAnd(scanner: Scanner): Part {
  const first = parseNot(scanner);
  if (scanner.peek().toUpperCase() !== "AND") return first;
  const parts = [asCondition(scanner, first)];
  while (scanner.take("AND")) parts.push(asCondition(scanner, parseNot(scanner)));
  return { holds: (item) => parts.every((part) => part.holds(item)) };
}

function parseNot(scanner: Scanner): Part {
  if (!scanner.take("NOT")) return parseComparison(scanner);
  const part = asCondition(scanner, parseNot(scanner));
  return { holds: (item) => !part.holds(item) };
}

function parseComparison(scanner: Scanner): Part {
  const left = parsePart(scanner);
  if (isCondition(left)) return left;
  if (scanner.take("BETWEEN")) return parseBetween(scanner, left);
  if (scanner.take("IN")) return parseIn(scanner, left);
  const operator = scanner.peek();
  const compare = COMPARATORS.get(operator);
  if (compare === undefined) return left;
  scanner.next();
  const right = parseOperand(scanner, parseSize);
  checkDistinct(scanner, operator, left, [right]);
  if (!["=", "<>"].includes(operator)) {
    for (const operand of [left, right]) checkType(scanner, operator, operand, ORDERED);
  }
  return { holds: (item) => compare(left.of(item), right.of(item)) };
}

function parsePart(scanner: Scanner): Part {
  if (scanner.take("(")) return parenthesised(scanner, parseOr(scanner));
  return isCall(scanner) && scanner.peek() !== "size" ? parseTest(scanner) : parseOperand(scanner, parseSize);
}

function parseBetween(scanner: Scanner, operand: Operand): Condition {
  const low = parseOperand(scanner, parseSize);
  scanner.expect("AND");
  const high = parseOperand(scanner, parseSize);
  checkDistinct(scanner, "BETWEEN", operand, [low, high]);
  for (const one of [operand, low, high]) checkType(scanner, "BETWEEN", one, ORDERED);
  if (low.literal !== undefined && high.literal !== undefined && !compareBy((o) => o <= 0)(low.literal, high.literal)) {
    return scanner.fail("the bounds of BETWEEN differ in type, or the upper one is below the lower one");
  }
  const atMost = compareBy((by) => by <= 0);
  return {
    holds(item) {
      const value = operand.of(item);
      return atMost(low.of(item), value) && atMost(value, high.of(item));
    },
  };
}

function parseIn(scanner: Scanner, operand: Operand): Condition {
  scanner.expect("(");
  const list = [parseOperand(scanner, parseSize)];
  while (scanner.take(",")) list.push(parseOperand(scanner, parseSize));
  scanner.expect(")");
  if (list.length > MOST_IN) return scanner.fail(`IN has ${list.length} operands; allowed are ${MOST_IN}`);
  checkDistinct(scanner, "IN", operand, list);
  return { holds: (item) => list.some((one) => isEqual(operand.of(item), one.of(item))) };
}

type Compare = (one: Value | undefined, other: Value | undefined) => boolean;

/** Without a value on either side nothing is equal, and so everything `<>`. */
const isEqual: Compare = (one, other) => one !== undefined && other !== undefined && textOf(one) === textOf(other);

/** False unless both have a value, of the same type, and one that has an order. */
const compareBy =
  (accepts: (order: number) => boolean): Compare =>
  (one, other) => {
    if (one === undefined || other === undefined) return false;
    const type = typeOf(one);
    return ORDERED.includes(type) && type === typeOf(other) && accepts(order(one, other));
  };

const COMPARATORS: ReadonlyMap<string, Compare> = new Map<string, Compare>([
  ["=", isEqual],
  ["<>", (one, other) => !isEqual(one, other)],
  ["<", compareBy((by) => by < 0)],
  ["<=", compareBy((by) => by <= 0)],
  [">", compareBy((by) => by > 0)],
  [">=", compareBy((by) => by >= 0)],
]);
