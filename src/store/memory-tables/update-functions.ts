import { show } from "../../core/duration.ts";
import { checkDistinct, checkType, type Operand, parseArguments, parseOperand } from "./operands.ts";
import type { Scanner } from "./scanner.ts";
import type { Value } from "./values.ts";

/** Reads a function that may be a whole right-hand side: `list_append` or `if_not_exists`. */
export function parseUpdateCall(scanner: Scanner): Operand {
  return scanner.peek() === "list_append" ? parseListAppend(scanner) : parseIfNotExists(scanner);
}

/** Reads `if_not_exists(path, operand)`, the only function that may be a part of a right-hand side. */
export function parseIfNotExists(scanner: Scanner): Operand {
  const name = scanner.next();
  if (name !== "if_not_exists") {
    return scanner.fail(
      `the function ${show(name)} cannot stand here; allowed in an update are if_not_exists, and list_append as a whole right-hand side`,
    );
  }
  const [first, second] = parseArguments(scanner, name, 2, () => parseOperand(scanner, parseIfNotExists));
  if (first.path === undefined) return scanner.fail("the first argument of if_not_exists is no path");
  checkDistinct(scanner, name, first, [second]);
  return {
    of(item) {
      // DynamoDB wants a value there even where it is not needed.
      const otherwise = second.of(item);
      if (otherwise === undefined) return scanner.fail("the second argument of if_not_exists has no value on the item");
      const value = first.of(item);
      return value === undefined ? otherwise : value;
    },
  };
}

function parseListAppend(scanner: Scanner): Operand {
  const name = scanner.next();
  const [first, second] = parseArguments(scanner, name, 2, () => parseOperand(scanner, parseIfNotExists));
  for (const operand of [first, second]) checkType(scanner, name, operand, ["L"]);
  const listOf = (value: Value | undefined): readonly Value[] =>
    Array.isArray(value) ? value : scanner.fail("list_append was given what is no list on the item");
  return { of: (item) => [...listOf(first.of(item)), ...listOf(second.of(item))], type: "L" };
}
