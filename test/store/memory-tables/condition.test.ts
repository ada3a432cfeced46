import { describe, expect, it } from "vitest";
import { memoryTables } from "../../../src/store/memory-tables/memory-tables.ts";

const ITEM = {
  id: "i",
  s: "abc",
  n: 5,
  big: 2n ** 60n,
  m: { a: 1, b: { c: "x" }, l: [1, 2, 3] },
  l: ["a", "b", { z: 1 }],
  ss: new Set(["a", "b"]),
  ns: new Set([1, 2]),
  bin: new Uint8Array([1, 2]),
  yes: true,
  nul: null,
  uni: "é𝒳",
};

type Values = Readonly<Record<string, unknown>>;

function holds(ConditionExpression: string, values?: Values, names?: Readonly<Record<string, string>>): boolean {
  const tables = memoryTables({ things: { key: ["id"] } });
  tables.put("things", ITEM);
  const check = {
    TableName: "things",
    Key: { id: "i" },
    ConditionExpression,
    ...(values && { ExpressionAttributeValues: values }),
    ...(names && { ExpressionAttributeNames: names }),
  };
  return tables.transact([{ ConditionCheck: check }]).committed;
}

describe("a condition", () => {
  const set = (...values: unknown[]): Set<unknown> => new Set(values);
  it.each<[string, Values | undefined, boolean]>([
    ["s = :a", { ":a": "abc" }, true],
    ["s = m.a", undefined, false],
    ["n = :a", { ":a": 5n }, true],
    ["big = :a", { ":a": 2n ** 60n }, true],
    ["big > n", undefined, true],
    ["nul = :a", { ":a": null }, true],
    ["l = :a", { ":a": ["a", "b", { z: 1 }] }, true],
    ["l = :a", { ":a": ["b", "a", { z: 1 }] }, false],
    ["m = :a", { ":a": { l: [1, 2, 3], b: { c: "x" }, a: 1 } }, true],
    ["ss = :a", { ":a": set("b", "a") }, true],
    ["ns = :a", { ":a": set("1", "2") }, false],
    ["bin = :a", { ":a": Buffer.from([1, 2]) }, true],
    ["n <> :a", { ":a": "5" }, true],
    ["s < :a", { ":a": "abd" }, true],
    ["s < :a", { ":a": 1 }, false],
    ["s >= :a", { ":a": 1 }, false],
    ["yes < :a", { ":a": "x" }, false],
    ["bin > :a", { ":a": new Uint8Array([1]) }, true],
    ["uni > :a", { ":a": "é\uffff" }, true],
    ["n BETWEEN m.a AND :a", { ":a": 5 }, true],
    ["n BETWEEN :a AND :b", { ":a": 6, ":b": 9 }, false],
    ["s BETWEEN :a AND m.b", { ":a": "a" }, false],
    [":a BETWEEN m.a AND n", { ":a": 3 }, true],
    ["n IN (:a, s, m.b.c)", { ":a": 5 }, true],
    ["n IN (s, size(s))", undefined, false],
    ["n in (:a) aNd NoT s = :a", { ":a": 5 }, true],
  ])("compares by type and value: %s %o is %s", (expression, values, expected) => {
    expect(holds(expression, values)).toBe(expected);
  });

  it.each<[string, Values | undefined, boolean]>([
    ["nope = nope2", undefined, false],
    ["nope <> nope2", undefined, true],
    ["nope < :a", { ":a": "x" }, false],
    ["NOT nope < :a", { ":a": "x" }, true],
    ["nope BETWEEN :a AND :b", { ":a": 1, ":b": 2 }, false],
    ["nope IN (s, n)", undefined, false],
    ["size(n) <> :a", { ":a": 1 }, true],
    ["size(nope) < :a", { ":a": 1 }, false],
    ["contains(l, nope)", undefined, false],
  ])(
    "finds nothing equal to an absent attribute, and everything unequal: %s %o is %s",
    (expression, values, expected) => {
      expect(holds(expression, values)).toBe(expected);
    },
  );

  it.each<[string, boolean]>([
    ["attribute_exists(m.b.c)", true],
    ["attribute_exists(l[2].z)", true],
    ["attribute_exists(l[3])", false],
    ["attribute_exists(s.x)", false],
    ["attribute_exists(m[0])", false],
    ["attribute_exists(nul)", true],
    ["attribute_exists (m . a)", true],
    ["attribute_not_exists(m.q.r)", true],
    ["attribute_exists(constructor)", false],
  ])("follows document paths: %s is %s", (expression, expected) => {
    const names = expression.includes("constructor") ? { "#c": "constructor" } : undefined;
    expect(holds(expression.replace("constructor", "#c"), undefined, names)).toBe(expected);
  });

  it.each<[string, Values, boolean]>([
    ["attribute_type(yes, :a)", { ":a": "BOOL" }, true],
    ["attribute_type(nul, :a)", { ":a": "NULL" }, true],
    ["attribute_type(ns, :a)", { ":a": "NS" }, true],
    ["attribute_type(big, :a)", { ":a": "N" }, true],
    ["attribute_type(nope, :a)", { ":a": "S" }, false],
    ["begins_with(s, :a)", { ":a": "ab" }, true],
    ["begins_with(n, :a)", { ":a": "5" }, false],
    ["begins_with(bin, :a)", { ":a": new Uint8Array([1]) }, true],
    ["begins_with(bin, :a)", { ":a": new Uint8Array([1, 2, 3]) }, false],
    ["contains(s, :a)", { ":a": "bc" }, true],
    ["contains(s, :a)", { ":a": 1 }, false],
    ["contains(l, :a)", { ":a": { z: 1 } }, true],
    ["contains(ss, :a)", { ":a": "b" }, true],
    ["contains(ss, :a)", { ":a": set("b") }, false],
    ["contains(ns, :a)", { ":a": 2n }, true],
    ["contains(m, :a)", { ":a": "a" }, false],
    ["contains(bin, :a)", { ":a": new Uint8Array([2]) }, true],
    ["size(s) = :a", { ":a": 3 }, true],
    ["size(uni) = :a", { ":a": 3 }, true],
    ["size(m) = :a AND size(l) = :a", { ":a": 3 }, true],
    ["size(ss) = :a AND size(bin) = :a", { ":a": 2 }, true],
    ["size(s) BETWEEN :a AND :b", { ":a": 1, ":b": 9 }, true],
  ])("calls functions: %s %o is %s", (expression, values, expected) => {
    expect(holds(expression, values)).toBe(expected);
  });

  it.each<[string, Values, boolean]>([
    ["s = :a OR n = :b AND n = :c", { ":a": "abc", ":b": 1, ":c": 2 }, true],
    ["(s = :a OR n = :b) AND n = :c", { ":a": "abc", ":b": 1, ":c": 2 }, false],
    ["NOT s = :a OR s = :a", { ":a": "abc" }, true],
    ["NOT (s = :a OR n = :b)", { ":a": "x", ":b": 1 }, true],
    ["NOT NOT s = :a", { ":a": "abc" }, true],
    ["n BETWEEN :a AND :b AND s = :c", { ":a": 1, ":b": 9, ":c": "x" }, false],
    ["(s) = (:a)", { ":a": "abc" }, true],
    ["((s = :a) AND (n = :b))", { ":a": "abc", ":b": 5 }, true],
    ["s=:a\tAND(n=:b)", { ":a": "abc", ":b": 5 }, true],
  ])("binds NOT before AND before OR: %s %o is %s", (expression, values, expected) => {
    expect(holds(expression, values)).toBe(expected);
  });

  it("takes a name with dots, or a reserved one, by its placeholder", () => {
    expect(holds("attribute_exists(#a)", undefined, { "#a": "m.a" })).toBe(false);
    expect(holds("attribute_not_exists(m.#status)", undefined, { "#status": "status" })).toBe(true);
  });
});

describe("a condition that DynamoDB refuses", () => {
  const one = { ":a": 1 };
  it.each<[string, Values | undefined, string]>([
    ["", undefined, "the expression is empty"],
    ["s", undefined, "the end where a comparator, BETWEEN or IN is allowed"],
    ["s = ", undefined, "the end where an attribute's name is allowed"],
    ["s = :a AND", one, "the end where"],
    ["s == :a", one, "'=' (token 3) where an attribute's name is allowed"],
    ["s != :a", one, "'!' is no part of an expression"],
    ["s = 'abc'", undefined, "''' is no part of an expression"],
    ["n = 5", undefined, "'5' (token 3) where an attribute's name is allowed"],
    ["s = :a n = :a", one, "'n' (token 4) where AND, OR or the end is allowed"],
    ["s = :a)", one, "')' (token 4) where AND, OR or the end is allowed"],
    ["(s = :a", one, "the end where ')' is allowed"],
    ["((s = :a))", one, "redundant parentheses"],
    ["status = :a", one, "'status' is a reserved word of DynamoDB"],
    ["m.Status = :a", one, "'Status' is a reserved word of DynamoDB"],
    ["remove = :a", one, "'remove' (token 1) where an attribute's name is allowed"],
    ["_x = :a", one, "'_' is no part of an expression"],
    ["l[01] = :a", one, "'1' (token 4) where ']' is allowed"],
    ["l[:a] = :a", one, "':a' (token 3) where the index of a list is allowed"],
    ["l[4294967296] = :a", one, "the index 4294967296 of a list is too high"],
    ["s = :b", one, ":b is not in ExpressionAttributeValues"],
    ["#s = :a", one, "#s is not in ExpressionAttributeNames"],
    ["n = :a", { ":a": 1, ":b": 2 }, ":b stands in no expression"],
    ["s = s", undefined, "the first operand of = is the same path"],
    ["n IN (s, n)", undefined, "the first operand of IN is the same path"],
    ["contains(l[0], l[0])", undefined, "the first operand of contains is the same path"],
    ["s < :a", { ":a": true }, "< was given a value of type BOOL; allowed are S, N, B"],
    ["n BETWEEN :a AND :b", { ":a": 9, ":b": 1 }, "the upper one is below the lower one"],
    ["n BETWEEN :a AND :b", { ":a": 9, ":b": "9" }, "the bounds of BETWEEN differ in type"],
    ["n IN ()", undefined, "')' (token 4) where an attribute's name is allowed"],
    ["attribute_exists(:a)", one, "attribute_exists was given no path"],
    ["attribute_exists(s, n)", undefined, "attribute_exists has 2 arguments; allowed are 1"],
    ["Attribute_Exists(s)", undefined, "there is no function 'Attribute_Exists' in a condition"],
    ["if_not_exists(s, :a) = :a", one, "there is no function 'if_not_exists' in a condition"],
    ["attribute_type(s, :a)", { ":a": "X" }, "attribute_type was given no type; allowed are values of S, N"],
    ["attribute_type(s, n)", undefined, "attribute_type was given no type"],
    ["begins_with(s, :a)", one, "begins_with was given a value of type N; allowed are S, B"],
    ["begins_with(s, size(n))", undefined, "begins_with was given a value of type N"],
    ["size(:a) = :b", { ":a": true, ":b": 1 }, "size was given a value of type BOOL"],
    ["size(size(s)) = :a", one, "size was given a value of type N"],
    ["size(s)", undefined, "the end where a comparator, BETWEEN or IN is allowed"],
    ["n = attribute_exists(s)", undefined, "the function 'attribute_exists' cannot stand here; allowed is size"],
    ["n + :a = :a", one, "'+' (token 2) where a comparator, BETWEEN or IN is allowed"],
    [`attribute_exists(s${".x".repeat(32)})`, undefined, "a path has 33 elements; allowed are 32"],
    [`${"s = :a OR ".repeat(500)}s = :a`, one, "the expression is longer than 4096 bytes"],
    [`n IN (${":a,".repeat(100)}:a)`, one, "IN has 101 operands; allowed are 100"],
  ])("is a config error that names the place: %s %o", (expression, values, message) => {
    let error: unknown;
    try {
      holds(expression, values);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "config", message: expect.stringContaining(message) });
    expect((error as Error).message).toMatch(/^action 0, ConditionCheck in table 'things'/);
  });
});
