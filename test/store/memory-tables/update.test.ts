import { describe, expect, it } from "vitest";
import { type MemoryTables, memoryTables } from "../../../src/store/memory-tables/memory-tables.ts";

const REST = {
  s: "abc",
  n: 5,
  m: { a: 1, b: { c: "x" }, l: [1, 2, 3] },
  l: ["a", "b", { z: 1 }],
  ss: new Set(["a", "b"]),
};

type Values = Readonly<Record<string, unknown>>;

const withItem = (): MemoryTables => {
  const tables = memoryTables({ things: { key: ["id"] } });
  tables.put("things", { id: "i", ...REST });
  return tables;
};

/** The attributes that an update has changed; a removed one is `undefined`. */
function changes(UpdateExpression: string, values?: Values, tables: MemoryTables = withItem()): Values {
  const before = tables.get("things", { id: "i" }) ?? {};
  const outcome = tables.transact([
    {
      Update: {
        TableName: "things",
        Key: { id: "i" },
        UpdateExpression,
        ...(values && { ExpressionAttributeValues: values }),
      },
    },
  ]);
  expect(outcome).toEqual({ committed: true });
  const after = tables.get("things", { id: "i" }) ?? {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return Object.fromEntries(
    names.filter((name) => !Object.is(show(before[name]), show(after[name]))).map((name) => [name, after[name]]),
  );
}

const show = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (part instanceof Set ? [...part] : typeof part === "bigint" ? `${part}` : part));

describe("an update", () => {
  it.each<[string, Values | undefined, Values]>([
    ["SET n = n + :a", { ":a": 1 }, { n: 6 }],
    ["SET x = :a - n", { ":a": 1 }, { x: -4 }],
    ["SET x = (n) + (:a)", { ":a": 1 }, { x: 6 }],
    ["SET x = if_not_exists(nope, :z) + :a", { ":a": 1, ":z": 0 }, { x: 1 }],
    ["SET x = :a + :b", { ":a": 0.1, ":b": 0.2 }, { x: 0.3 }],
    ["SET x = :a + :b", { ":a": Number.MAX_SAFE_INTEGER, ":b": 1 }, { x: 2n ** 53n }],
    ["SET x = :a - :b", { ":a": 2n ** 53n, ":b": 1n }, { x: Number.MAX_SAFE_INTEGER }],
    ["SET x = :a - :a", { ":a": 1e-7 }, { x: 0 }],
    ["SET x = list_append(l, :a)", { ":a": [1] }, { x: ["a", "b", { z: 1 }, 1] }],
    ["SET x = list_append(if_not_exists(nope, :e), :a)", { ":a": [1], ":e": [] }, { x: [1] }],
    ["SET x = if_not_exists(s, :a), y = if_not_exists(m.q, :a)", { ":a": 1 }, { x: "abc", y: 1 }],
    ["SET x = :a", { ":a": null }, { x: null }],
    ["SET x = m.b, y = l[0]", undefined, { x: { c: "x" }, y: "a" }],
  ])("sets what the right-hand side comes to: %s %o", (expression, values, expected) => {
    expect(changes(expression, values)).toStrictEqual(expected);
  });

  it.each<[string, Values | undefined, Values]>([
    ["SET s = n, n = s", undefined, { s: 5, n: "abc" }],
    ["SET x = s REMOVE s", undefined, { x: "abc", s: undefined }],
    ["SET m.b = m", undefined, { m: { a: 1, b: { a: 1, b: { c: "x" }, l: [1, 2, 3] }, l: [1, 2, 3] } }],
    [
      "SET m.q = m.l, m.l[9] = :a REMOVE m.l[0]",
      { ":a": 1 },
      { m: { a: 1, b: { c: "x" }, l: [2, 3, 1], q: [1, 2, 3] } },
    ],
  ])("sees the item as it was before: %s %o", (expression, values, expected) => {
    expect(changes(expression, values)).toEqual(expected);
  });

  it.each<[string, Values | undefined, Values]>([
    ["SET l[9] = :a, l[7] = :b", { ":a": 9, ":b": 7 }, { l: ["a", "b", { z: 1 }, 7, 9] }],
    ["SET l[0] = :a REMOVE l[1]", { ":a": 1 }, { l: [1, { z: 1 }] }],
    ["SET l[9] = :a REMOVE l[0]", { ":a": 1 }, { l: ["b", { z: 1 }, 1] }],
    ["SET l[2].q = :a REMOVE l[0]", { ":a": 1 }, { l: ["b", { z: 1, q: 1 }] }],
    ["REMOVE l[0], l[1]", undefined, { l: [{ z: 1 }] }],
    ["REMOVE l[9], m.q, nope", undefined, {}],
    ["REMOVE m.b, m.a, m.l", undefined, { m: {} }],
  ])("takes indexes from the list before: %s %o", (expression, values, expected) => {
    expect(changes(expression, values)).toEqual(expected);
  });

  it.each<[string, Values, Values]>([
    ["ADD n :a, x :a, m.x :a", { ":a": 1 }, { n: 6, x: 1, m: { a: 1, b: { c: "x" }, l: [1, 2, 3], x: 1 } }],
    ["ADD ss :a", { ":a": new Set(["b", "c"]) }, { ss: new Set(["a", "b", "c"]) }],
    ["ADD x :a", { ":a": new Set([1]) }, { x: new Set([1]) }],
    ["DELETE ss :a", { ":a": new Set(["a", "z"]) }, { ss: new Set(["b"]) }],
    ["DELETE ss :a", { ":a": new Set(["a", "b"]) }, { ss: undefined }],
    ["DELETE nope :a", { ":a": new Set(["a"]) }, {}],
    [
      "add n :a set y = :a delete ss :s remove s",
      { ":a": 1, ":s": new Set(["a"]) },
      { n: 6, y: 1, ss: new Set(["b"]), s: undefined },
    ],
  ])("adds to numbers and sets, and takes from sets: %s %o", (expression, values, expected) => {
    expect(changes(expression, values)).toEqual(expected);
  });

  it.each<[string, Values | undefined, Values]>([
    ["SET x = if_not_exists(id, :a)", { ":a": 1 }, { id: "i", x: "i" }],
    ["ADD x :a", { ":a": 1 }, { id: "i", x: 1 }],
    ["REMOVE nope", undefined, { id: "i" }],
  ])("makes the item that is not there, with its key: %s %o", (expression, values, expected) => {
    expect(changes(expression, values, memoryTables({ things: { key: ["id"] } }))).toEqual(expected);
  });
});

describe("an update that DynamoDB refuses", () => {
  const one = { ":a": 1 };
  const deep = Array.from({ length: 31 }).reduce<unknown>((inner) => [inner], 1);
  it.each<[string, Values | undefined, string]>([
    ["SET id = :a", { ":a": "j" }, "'id' is part of the key and cannot be updated"],
    ["REMOVE id", undefined, "'id' is part of the key"],
    ["SET nope.q = :a", one, "leads through what is no map or list"],
    ["SET m[0] = :a", one, "leads through what is no map or list"],
    ["SET l[5].q = :a", one, "leads through what is no map or list"],
    ["REMOVE s.q", undefined, "leads through what is no map or list"],
    ["SET m = :a, m.q = :a", one, "two paths of the update overlap"],
    ["SET m.q = :a REMOVE m", one, "two paths of the update overlap"],
    ["SET m.q = :a, m[0] = :a", one, "take one attribute for a list and for a map"],
    ["SET x = nope", undefined, "from an attribute that the item does not have"],
    ["SET x = nope + :a", one, "from an attribute that the item does not have"],
    ["SET x = if_not_exists(n, nope)", undefined, "the second argument of if_not_exists has no value"],
    ["SET x = if_not_exists(n, n)", undefined, "the first operand of if_not_exists is the same path"],
    ["SET x = if_not_exists(:a, :a)", one, "the first argument of if_not_exists is no path"],
    ["SET x = s + :a", one, "a value of type S stands on the item where a number is allowed"],
    ["SET x = n + :a", { ":a": "1" }, "+ was given a value of type S; allowed are N"],
    ["SET x = n + n + :a", one, "'+' (token 7) where ',' or a section is allowed"],
    ["SET x = list_append(s, :a)", { ":a": [] }, "list_append was given what is no list"],
    ["SET x = list_append(l, :a)", one, "list_append was given a value of type N; allowed are L"],
    ["SET x = list_append(list_append(l, l), l)", undefined, "the function 'list_append' cannot stand here"],
    ["SET x = size(s)", undefined, "the function 'size' cannot stand here"],
    ["SET x = ((:a))", one, "redundant parentheses"],
    ["SET (x) = :a", one, "'(' (token 2) where an attribute's name is allowed"],
    ["SET x = :a, REMOVE s", one, "'REMOVE' (token 6) where an attribute's name is allowed"],
    ["SET x = :a SET y = :a", one, "the section SET stands twice"],
    ["x = :a", one, "'x' (token 1) where SET, REMOVE, ADD, DELETE is allowed"],
    ["", undefined, "the expression is empty"],
    ["SET", undefined, "the end where an attribute's name is allowed"],
    ["SET status = :a", one, "'status' is a reserved word"],
    ["ADD s :a", one, "a value of type S stands on the item"],
    ["ADD ss :a", { ":a": new Set([1]) }, "of type SS stands on the item where one of type NS is allowed"],
    ["ADD x :a", { ":a": "s" }, "ADD was given a value of type S; allowed are N, SS, NS, BS"],
    ["ADD n m.a", undefined, "'m' (token 3) where a value's placeholder is allowed"],
    ["DELETE n :a", one, "DELETE was given a value of type N; allowed are SS, NS, BS"],
    ["SET x = :a + :b", { ":a": 9n * 10n ** 37n, ":b": 0.5 }, "a number has 39 digits; allowed are 38"],
    ["SET x = :a + :a", { ":a": 9n * 10n ** 125n }, "a number is outside of DynamoDB's range"],
    ["SET x = :a + :b", { ":a": 2 ** 53 - 1, ":b": 0.5 }, "more digits than a JavaScript number holds"],
    ["SET m.x = :a", { ":a": deep }, "the item nests deeper than 32 levels"],
    ["SET x = :a", { ":a": "x".repeat(409_600) }, "the item has 4096"],
  ])("is a config error that names the place, and changes nothing: %s", (expression, values, message) => {
    const tables = withItem();
    const attempt = (): unknown => changes(expression, values, tables);
    expect(attempt).toThrow(expect.objectContaining({ code: "config", message: expect.stringContaining(message) }));
    expect(attempt).toThrow(/^action 0, Update in table 'things', UpdateExpression/);
    expect(tables.items("things")).toEqual([{ id: "i", ...REST }]);
  });
});
