import type { compile } from "@jmespath-community/jmespath";

/** The syntax tree of a JMESPath expression, as the library's parser makes it. */
export type Node = ReturnType<typeof compile>;

/** A function's node. */
export type FunctionNode = Extract<Node, { type: "Function" }>;

/** The nodes right below `node`. A literal's value is data, and never taken for a node. */
export function childrenOf(node: Node): readonly Node[] {
  if (node.type === "Literal") return [];
  return Object.values(node).flatMap((part: unknown): Node[] => (Array.isArray(part) ? part : [part]).filter(isNode));
}

const isNode = (part: unknown): part is Node => typeof part === "object" && part !== null && "type" in part;

/** A node as JMESPath text, for an error's sentence; `undefined` for the kinds that nobody points at. */
export function textOf(node: Node): string | undefined {
  switch (node.type) {
    case "Field":
      return /^[A-Za-z_]\w*$/.test(node.name) ? node.name : JSON.stringify(node.name);
    case "Current":
      return "@";
    case "Root":
      return "$";
    case "Identity":
      return "";
    case "Index":
      return `[${node.value}]`;
    case "Variable":
      return `$${node.name}`;
    case "Literal":
      return `\`${JSON.stringify(node.value)}\``;
    case "Subexpression":
      return join(node.left, ".", node.right);
    case "IndexExpression":
      return join(node.left, "", node.right);
    case "Pipe":
      return join(node.left, " | ", node.right);
    case "OrExpression":
      return join(node.left, " || ", node.right);
    case "Function":
      return wrap(`${node.name}(`, node.children, ")");
    case "MultiSelectList":
      return wrap("[", node.children, "]");
    case "MultiSelectHash": {
      const pairs = node.children.map((pair) => [textOf({ type: "Field", name: pair.name }), textOf(pair.value)]);
      return pairs.some(([, value]) => value === undefined)
        ? undefined
        : `{${pairs.map((pair) => pair.join(": ")).join(", ")}}`;
    }
    default:
      return undefined;
  }
}

function join(left: Node, by: string, right: Node): string | undefined {
  const texts = [textOf(left), textOf(right)];
  return texts.includes(undefined) ? undefined : texts.join(by);
}

function wrap(open: string, parts: readonly Node[], close: string): string | undefined {
  const texts = parts.map(textOf);
  return texts.includes(undefined) ? undefined : `${open}${texts.join(", ")}${close}`;
}
