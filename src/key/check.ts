import { compile, TYPE_EXPREF } from "@jmespath-community/jmespath";
import { IdempotencyConfigError } from "../core/errors.ts";
import { interpreter } from "./interpreter.ts";
import { childrenOf, type FunctionNode, type Node } from "./syntax.ts";

/**
 * The syntax tree of an expression that can make a key: it parses, calls functions that exist as they
 * are declared, reads the input at all, and is none of the known slips.
 *
 * @throws IdempotencyConfigError naming `option`, with the mend where there is one.
 */
export function parseExpression(expression: string, option: string): Node {
  const refuse = (why: string): never => {
    throw new IdempotencyConfigError(`${option} is the JMESPath expression \`${expression}\`, ${why}`);
  };
  const mended = quoteHyphens(expression);
  const hint = mended === expression ? "" : `; a name with a hyphen stands in double quotes: write \`${mended}\``;
  let node: Node;
  try {
    node = compile(expression);
  } catch (error) {
    // Past the last token the library's parser fails with a TypeError of its own.
    const why = error instanceof TypeError || !(error instanceof Error) ? "it ends too early" : error.message;
    return refuse(`which cannot be parsed (${why})${hint}`);
  }
  visit(node, (one, parent) => {
    if (isHyphen(one)) refuse(`which is a subtraction${hint}`);
    if (one.type === "Function") checkCall(one, refuse);
    if (one.type === "Literal" && holdsRounded(one.value))
      refuse("with a number beyond 2^53, whose last digits are lost");
    if (one.type === "ExpressionReference" && parent?.type !== "Function")
      refuse("where `&` stands outside of a function's argument");
  });
  if (!readsInput(node)) refuse("which is the same for every input; a name stands without quotes or in double quotes");
  return node;
}

/** A number of a literal, which may have been another one as it was written. */
function holdsRounded(value: unknown): boolean {
  if (typeof value === "number") return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === "object" && Object.values(Object(value)).some(holdsRounded);
}

function visit(node: Node, see: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  see(node, parent);
  for (const child of childrenOf(node)) visit(child, see, node);
}

function checkCall(call: FunctionNode, refuse: (why: string) => never): void {
  const signature = interpreter.signatureOf(call.name);
  if (signature === undefined) return refuse(`which calls ${call.name}(), an unknown function`);
  try {
    interpreter.checkArity(call);
  } catch (error) {
    return refuse(`which cannot be called (${(error as Error).message})`);
  }
  call.children.forEach((argument, at) => {
    const wanted = (signature[at] ?? signature.at(-1))?.types.includes(TYPE_EXPREF) === true;
    if (wanted === (argument.type === "ExpressionReference")) return;
    refuse(
      `where argument ${at + 1} of ${call.name}() ${wanted ? "has to be" : "cannot be"} an expression reference (\`&name\`)`,
    );
  });
}

/** `headers.Idempotency-Key`: a field chain, minus, a bare field. */
function isHyphen(node: Node): boolean {
  return (
    node.type === "Arithmetic" &&
    node.operator === "Minus" &&
    lastOf(node.left).type === "Field" &&
    firstOf(node.right).type === "Field"
  );
}

const lastOf = (node: Node): Node =>
  node.type === "Subexpression" || (node.type === "Arithmetic" && node.operator === "Minus")
    ? lastOf(node.right)
    : node;

const firstOf = (node: Node): Node =>
  node.type === "Subexpression" || node.type === "IndexExpression" ? firstOf(node.left) : node;

const quotedOrHyphened = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|[A-Za-z_]\w*(?:\s*[-\u2212]\s*\w+)+/g;

const quoteHyphens = (expression: string): string =>
  expression.replace(quotedOrHyphened, (found) => (/^["'`]/.test(found) ? found : `"${found.replace(/\s+/g, "")}"`));

const reading: ReadonlySet<Node["type"]> = new Set(["Field", "Current", "Root", "Identity", "Index"]);

const readsInput = (node: Node): boolean => reading.has(node.type) || childrenOf(node).some(readsInput);
