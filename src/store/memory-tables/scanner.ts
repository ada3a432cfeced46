import { show } from "../../core/duration.ts";
import type { Fail } from "./fail.ts";
import type { Value } from "./values.ts";

/** The names and values that an action's expressions stand in for, and which of them were used. */
export interface Placeholders {
  readonly names: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, Value>;
  readonly used: Set<string>;
}

/** An expression on its way through a parser. */
export interface Scanner {
  readonly placeholders: Placeholders;
  readonly fail: Fail;
  /** The next token, or the one that lies `ahead` of it; `""` at the end. */
  peek(ahead?: number): string;
  next(): string;
  /** Whether the next token is this word (in any case) or sign; then it is gone. */
  take(token: string): boolean;
  expect(token: string): void;
  /** Ends in an error that shows the next token. */
  unexpected(allowed: string): never;
}

/** In bytes. */
const LONGEST = 4_096;

const TOKEN = /[ \t\r\n]*(?:([A-Za-z]\w*|[#:]\w+|0|[1-9]\d*|<>|<=|>=|[=<>(),.[\]+-])|$)/y;

/** Cuts an expression into tokens. */
export function scan(expression: string, placeholders: Placeholders, fail: Fail): Scanner {
  const tokens = tokensOf(expression, fail);
  let at = 0;
  const scanner: Scanner = {
    placeholders,
    fail,
    peek: (ahead = 0) => tokens[at + ahead] ?? "",
    next: () => tokens[at++] ?? "",
    take(token) {
      const found = scanner.peek().toUpperCase() === token;
      if (found) at += 1;
      return found;
    },
    expect(token) {
      if (!scanner.take(token)) scanner.unexpected(`'${token}'`);
    },
    unexpected(allowed) {
      const token = scanner.peek();
      const given = token === "" ? "the end" : `${show(token)} (token ${at + 1})`;
      return fail(`${given} where ${allowed} is allowed`);
    },
  };
  return scanner;
}

function tokensOf(expression: string, fail: Fail): readonly string[] {
  if (Buffer.byteLength(expression) > LONGEST) return fail(`the expression is longer than ${LONGEST} bytes`);
  const tokens: string[] = [];
  for (let at = 0; at < expression.length; ) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(expression);
    if (match === null) return fail(`${show(expression.slice(at).trim().slice(0, 1))} is no part of an expression`);
    if (match[1] !== undefined) tokens.push(match[1]);
    at = TOKEN.lastIndex;
  }
  return tokens.length === 0 ? fail("the expression is empty") : tokens;
}
