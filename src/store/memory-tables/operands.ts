import { type Path, parsePath, valueAt } from "./paths.ts";
import type { Scanner } from "./scanner.ts";
import { type Attributes, textOf, typeOf, type Value, type ValueType } from "./values.ts";

/** A part of an expression that has a value. */
export interface Operand {
  /** Its value on an item; `undefined` where it has none. */
  of(item: Attributes): Value | undefined;
  /** It is a document path. */
  readonly path?: Path;
  /** It is a placeholder's value. */
  readonly literal?: Value;
  /** The type that its value has on any item. */
  readonly type?: ValueType;
  /** It stands in parentheses. */
  readonly wrapped?: true;
}

/** Reads a path, a value, what stands in parentheses, or a function by `parseCall`. */
export function parseOperand(scanner: Scanner, parseCall: (scanner: Scanner) => Operand): Operand {
  if (scanner.take("(")) return parenthesised(scanner, parseOperand(scanner, parseCall));
  if (isCall(scanner)) return parseCall(scanner);
  return scanner.peek().startsWith(":") ? parseLiteral(scanner) : parsePathOperand(scanner);
}

/** Whether a function's name stands next. */
export function isCall(scanner: Scanner): boolean {
  return /^[A-Za-z]/.test(scanner.peek()) && scanner.peek(1) === "(" && !/^(and|or|not|in)$/i.test(scanner.peek());
}

/** What was read after a parenthesis, up to the one that closes it. */
export function parenthesised<Part extends { readonly wrapped?: true }>(scanner: Scanner, part: Part): Part {
  scanner.expect(")");
  if (part.wrapped === true) return scanner.fail("the expression has redundant parentheses");
  return { ...part, wrapped: true };
}

/** Reads a value's placeholder. */
export function parseLiteral(scanner: Scanner): Operand & { readonly literal: Value } {
  const token = scanner.peek();
  if (!token.startsWith(":")) return scanner.unexpected("a value's placeholder");
  const { values, used } = scanner.placeholders;
  const literal = values.get(token);
  if (literal === undefined) return scanner.fail(`${token} is not in ExpressionAttributeValues`);
  used.add(scanner.next());
  return { of: () => literal, literal, type: typeOf(literal) };
}

function parsePathOperand(scanner: Scanner): Operand {
  const path = parsePath(scanner);
  return { of: (item) => valueAt(item, path), path };
}

/** Reads the arguments of a function, whose name is gone. */
export function parseArguments(
  scanner: Scanner,
  name: string,
  count: number,
  parse: () => Operand,
): readonly [Operand, Operand] {
  scanner.expect("(");
  const list = [parse()];
  while (scanner.take(",")) list.push(parse());
  scanner.expect(")");
  if (list.length !== count) return scanner.fail(`${name} has ${list.length} arguments; allowed are ${count}`);
  return list as unknown as readonly [Operand, Operand];
}

/** Refuses an operand whose value can be of none of the types that an operator takes. */
export function checkType(scanner: Scanner, operator: string, { type }: Operand, allowed: readonly ValueType[]): void {
  if (type === undefined || allowed.includes(type)) return;
  scanner.fail(`${operator} was given a value of type ${type}; allowed are ${allowed.join(", ")}`);
}

/** Refuses a first operand that is the same path as one of the rest. */
export function checkDistinct(scanner: Scanner, operator: string, first: Operand, rest: readonly Operand[]): void {
  const { path } = first;
  if (path === undefined) return;
  const text = textOf(path);
  if (rest.some((other) => other.path !== undefined && textOf(other.path) === text)) {
    scanner.fail(`the first operand of ${operator} is the same path as another one of its operands`);
  }
}
