import { interpreter } from "./interpreter.ts";
import { childrenOf, type Node, textOf } from "./syntax.ts";

/** The mend, in a sentence, where `node` looks for a name inside what is a string in `input`. */
export function findStringSlip(node: Node, input: unknown): string | undefined {
  const text = findString(node, input);
  if (text === undefined) return undefined;
  const name = textOf(text);
  if (name === undefined) return "a name is looked for inside a string; read JSON text by `json()`";
  const mended = textOf(replaceNode(node, text));
  return `\`${name}\` is a string; ${mended === undefined ? `read it by \`json(${name})\`` : `write \`${mended}\``}`;
}

/** The first node whose value is a string although a name is looked for in it. */
function findString(node: Node, value: unknown): Node | undefined {
  if (node.type === "Subexpression" || node.type === "Pipe") {
    const before = findString(node.left, value);
    if (before !== undefined) return before;
    const left = evaluate(node.left, value);
    if (typeof left === "string" && node.left.type !== "Literal" && looksForNames(node.right)) return node.left;
    return findString(node.right, left);
  }
  // What stands at the right of a projection, a condition or an `&` has another value for each element.
  if ("left" in node && !/^(?:And|Or)Expression$|^Comparator$|^Arithmetic$/.test(node.type))
    return findString(node.left as Node, value);
  if (node.type === "ExpressionReference" || node.type === "LetExpression") return undefined;
  for (const child of childrenOf(node)) {
    const found = findString(child, value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function looksForNames(node: Node): boolean {
  if (node.type === "Subexpression" || node.type === "IndexExpression") return looksForNames(node.left);
  return node.type === "Field" || node.type === "MultiSelectList" || node.type === "MultiSelectHash";
}

function evaluate(node: Node, value: unknown): unknown {
  try {
    return interpreter.search(node, value);
  } catch {
    return undefined;
  }
}

/** The tree with `json(old)` in the place of `old`. */
function replaceNode(node: Node, old: Node): Node {
  if (node === old) return { type: "Function", name: "json", children: [old] };
  const replace = (part: unknown): unknown =>
    Array.isArray(part)
      ? part.map(replace)
      : typeof part === "object" && part !== null
        ? replaceNode(part as Node, old)
        : part;
  if (node.type === "Literal") return node;
  return Object.fromEntries(Object.entries(node).map(([name, part]) => [name, replace(part)])) as unknown as Node;
}
