import { show } from "../../core/duration.ts";
import { RESERVED } from "./reserved-words.ts";
import type { Scanner } from "./scanner.ts";
import { type Attributes, DEEPEST_ITEM, typeOf, type Value } from "./values.ts";

/** A document path, its placeholders resolved: names of attributes and indexes of lists. */
export type Path = readonly (string | number)[];

const HIGHEST_INDEX = 2 ** 31 - 1;

/** Reads a document path: `a.#b[0].c`. */
export function parsePath(scanner: Scanner): Path {
  const path: (string | number)[] = [nameAt(scanner)];
  for (;;) {
    if (scanner.take(".")) path.push(nameAt(scanner));
    else if (scanner.take("[")) path.push(indexAt(scanner));
    else break;
  }
  if (path.length <= DEEPEST_ITEM) return path;
  return scanner.fail(`a path has ${path.length} elements; allowed are ${DEEPEST_ITEM}`);
}

function nameAt(scanner: Scanner): string {
  const { placeholders, fail } = scanner;
  const token = scanner.peek();
  if (token.startsWith("#")) {
    const name = placeholders.names.get(token);
    if (name === undefined) return fail(`${token} is not in ExpressionAttributeNames`);
    placeholders.used.add(token);
    scanner.next();
    return name;
  }
  // A word of the grammar that is not on the list of reserved ones.
  if (!/^[A-Za-z]/.test(token) || token.toUpperCase() === "REMOVE") return scanner.unexpected("an attribute's name");
  if (RESERVED.has(token.toUpperCase())) {
    return fail(`${show(token)} is a reserved word of DynamoDB; allowed is a placeholder of ExpressionAttributeNames`);
  }
  return scanner.next();
}

function indexAt(scanner: Scanner): number {
  const token = scanner.peek();
  if (!/^\d+$/.test(token)) return scanner.unexpected("the index of a list");
  scanner.next();
  scanner.expect("]");
  if (Number(token) > HIGHEST_INDEX) return scanner.fail(`the index ${token} of a list is too high`);
  return Number(token);
}

/** The value at a path; `undefined` where there is none. */
export function valueAt(item: Attributes, path: Path): Value | undefined {
  let value: Value | undefined = item;
  for (const step of path) value = value === undefined ? undefined : partOf(value, step);
  return value;
}

function partOf(value: Value, step: string | number): Value | undefined {
  if (typeof step === "number") return Array.isArray(value) ? (value as readonly Value[])[step] : undefined;
  return typeOf(value) === "M" ? (value as Attributes)[step] : undefined;
}
