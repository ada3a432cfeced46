import { TreeInterpreter } from "@jmespath-community/jmespath";
import { isPlainArray, isPlainObject, isRecord, kindOf } from "../core/plain.ts";
import { byName, keyFunctions } from "./functions.ts";
import { exactText, UnreadableText } from "./json-text.ts";
import { type FunctionNode, type Node, textOf } from "./syntax.ts";

/** What of the library's interpreter is used; parts of it are not in its public types. */
interface Library {
  visit(node: Node, value: unknown): unknown;
  search(node: Node, value: unknown): unknown;
  withScope(scope: Readonly<Record<string, unknown>>): Library;
  _rootValue: unknown;
  _scope: { withScope(scope: Readonly<Record<string, unknown>>): Library["_scope"] };
  readonly runtime: {
    readonly _functionTable: Readonly<
      Record<string, { readonly _signature: readonly { readonly types: readonly number[] }[] }>
    >;
    getTypeName(value: unknown): number | undefined;
    callFunction(name: string, args: readonly unknown[]): unknown;
    validateArity(name: string, args: readonly unknown[], signature: readonly unknown[]): void;
    register(
      name: string,
      run: (args: unknown[]) => unknown,
      signature: unknown,
      options: { override: boolean },
    ): { readonly success: boolean };
  };
}

/**
 * JMESPath for keys: the library's interpreter with its functions, but of our own instance, so that
 * nothing is registered for others; look-ups see own properties only, and a name `__proto__` is a name.
 */
export interface Interpreter {
  search(node: Node, value: unknown): unknown;
  /** What a function takes, `undefined` for an unknown one. */
  signatureOf(name: string): readonly { readonly types: readonly number[] }[] | undefined;
  /** Throws the library's sentence where a call has too few or too many arguments. */
  checkArity(call: FunctionNode): void;
}

/** The one interpreter of this library. It holds no input once a search has ended. */
export const interpreter: Interpreter = makeInterpreter();

/**
 * The first part that a value made by a multi-select lacks, `undefined` where none. Lists, hashes and
 * what is made of them as a whole remember it; data taken from the input never does.
 */
export const lackedPart = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null ? lacks.get(value) : undefined;

/** A part that is absent, null or empty names nothing. 0 and false do. */
export const isNothing = (value: unknown): boolean => value === undefined || value === null || value === "";

const lacks = new WeakMap<object, string>();

function makeInterpreter(): Interpreter {
  const library = makeLibrary();
  const { runtime } = library;
  const signatureOf = (name: string) =>
    Object.hasOwn(runtime._functionTable, name) ? runtime._functionTable[name]?._signature : undefined;
  return {
    search(node, value) {
      // An accessor of the input may search in turn: the outer root comes back, and none is kept.
      const { _rootValue: root, _scope: scope } = library;
      try {
        return library.search(node, value);
      } finally {
        library._rootValue = root;
        library._scope = scope;
      }
    },
    signatureOf,
    checkArity: (call) => runtime.validateArity(call.name, call.children, signatureOf(call.name) ?? []),
  };
}

function makeLibrary(): Library {
  // The class is not exported; the library's shared instance is the only way to it.
  const library = new (TreeInterpreter.constructor as new () => Library)();
  const { runtime } = library;
  const typeName = runtime.getTypeName.bind(runtime);
  const references = new WeakSet<object>();
  // The library takes any input object with a truthy `expref` for an expression, and lets what is not JSON pass every check.
  runtime.getTypeName = (value) => {
    if (value === undefined) return undefined; // An optional argument that is not given; no given one is undefined.
    if (typeof value !== "object" || value === null) return typeName(value) ?? refuse(value);
    if (exactText(value) !== undefined) return typeName(0);
    if (references.has(value)) return typeName(value);
    return isPlainArray(value) ? typeName([]) : isPlainObject(value) ? typeName({}) : refuse(value);
  };
  for (const [name, { signature, run }] of Object.entries(keyFunctions)) {
    const evaluate = (reference: unknown, value: unknown): unknown => library.visit(reference as Node, value);
    runtime.register(name, (args) => run(args, evaluate), signature, { override: true });
  }
  // The library would go on with an unguarded instance inside `let`, and look up `&` expressions outside of it.
  library.withScope = (scope) => {
    const inner = makeLibrary();
    inner._rootValue = library._rootValue;
    inner._scope = library._scope.withScope(scope);
    return inner;
  };
  const inherited = library.visit.bind(library);
  library.visit = (node, value) => {
    switch (node.type) {
      case "Field":
        if (!isRecord(value) || !Object.hasOwn(value, node.name)) return null;
        return (value as Record<string, unknown>)[node.name] ?? null;
      case "MultiSelectList": {
        const parts = node.children.map((child) => library.visit(child, value));
        return noteLacking(parts, parts, (at) => textOf(node.children[at] as Node) ?? `part ${at}`);
      }
      case "MultiSelectHash": {
        const parts = node.children.map((child) => library.visit(child.value, value));
        const hash = Object.fromEntries(node.children.map((child, at) => [child.name, parts[at]]));
        return noteLacking(hash, parts, (at) => node.children[at]?.name ?? "");
      }
      case "Projection":
      case "ValueProjection":
      case "FilterProjection": {
        const base = library.visit(node.left, value);
        // Of a slice of a string the library makes no list, which it tells by the node on the left.
        if (typeof base === "string") return inherited(node, value);
        if (node.type === "ValueProjection" && typeof base === "object" && base !== null) runtime.getTypeName(base);
        const ordered = node.type === "ValueProjection" && isPlainObject(base) ? inOrder(base) : base;
        const list = inherited({ ...node, left: { type: "Literal", value: ordered as null } }, value);
        return inheritLacking(list, [base, ...(Array.isArray(list) ? list : [])]);
      }
      case "Flatten": {
        const list = library.visit(node.child, value);
        return Array.isArray(list) ? inheritLacking(list.flat(), [list, ...list]) : null;
      }
      case "Slice":
        return inheritLacking(inherited(node, value), [value]);
      case "Function": {
        const args = node.children.map((child) => library.visit(child, value) ?? null);
        // The library lets undefined pass as any type: join() would take it for an empty text.
        if (args.some((arg) => Array.isArray(arg) && arg.includes(undefined))) refuse(undefined);
        if (joining.has(node.name) && args.some((arg) => lackedPart(arg) !== undefined)) return null;
        const result = runtime.callFunction(node.name, args);
        // An argument, or an element of one, is handed on and not made: it may be the input's own.
        if (args.some((arg) => arg === result || (Array.isArray(arg) && arg.includes(result)))) return result;
        return inheritLacking(result, [...args, ...(Array.isArray(result) ? result : [])]);
      }
      case "Comparator": {
        const isExact = (side: Node): boolean => exactText(library.visit(side, value)) !== undefined;
        if (!/^(EQ|NE)$/.test(node.name) && (isExact(node.left) || isExact(node.right)))
          throw new UnreadableText("it compares a number that a double cannot hold");
        return inherited(node, value);
      }
      case "ExpressionReference": {
        const reference = inherited(node, value) as object;
        references.add(reference);
        return reference;
      }
      default:
        return inherited(node, value);
    }
  };
  return library;
}

/** The same object with its names in order: what `*` makes of it must not depend on how the input was written. */
const inOrder = (base: object): unknown => Object.fromEntries(byName(base));

/** Functions that make one text of many parts: of parts that are lacking they make nothing. */
const joining: ReadonlySet<string> = new Set(["join", "to_string"]);

function refuse(value: unknown): never {
  throw new UnreadableText(`it meets ${kindOf(value)}, which is not a JSON value`);
}

/** Remembers at `whole` the first of its parts that is nothing, or that lacks something itself. */
function noteLacking(whole: object, parts: readonly unknown[], nameOf: (at: number) => string): object {
  const at = parts.findIndex((part) => isNothing(part) || lackedPart(part) !== undefined);
  if (at === -1) return whole;
  const inner = lackedPart(parts[at]);
  lacks.set(whole, inner === undefined ? nameOf(at) : Array.isArray(whole) ? inner : `${nameOf(at)}.${inner}`);
  return whole;
}

/** What is made of lacking parts lacks them, too, where it is a whole of its own. */
function inheritLacking(made: unknown, from: readonly unknown[]): unknown {
  if (typeof made !== "object" || made === null || lacks.has(made)) return made;
  const part = from.map(lackedPart).find((one) => one !== undefined);
  if (part !== undefined) lacks.set(made, part);
  return made;
}
